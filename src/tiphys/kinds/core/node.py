"""Node: a machine that runs pods. From upstream's `ValidateNode`, `ValidateNodeUpdate` and `printNode`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tiphys.api.kind import STATUS, Column, Context, Kind, Subresource
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, forbidden_field, invalid_value
from tiphys.base.field_error import duplicate as duplicate_value
from tiphys.kinds.core.taint import taint_errors
from tiphys.kinds.shapes.columns import AGE, NONE, UNKNOWN, Cell, at, text
from tiphys.kinds.shapes.field_checks import repeats
from tiphys.kinds.shapes.ip import family, is_cidr
from tiphys.kinds.shapes.part import part
from tiphys.kinds.shapes.resource_list import default_resource_list, quantities, quantity_errors

ROLE_PREFIX = "node-role.kubernetes.io/"
ROLE_LABEL = "kubernetes.io/role"
_NOTHING_ELSE = (
    "node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig "
    "feature gate is enabled)"
)
_MAY_CHANGE = ("unschedulable", "taints", "configSource")
_ONCE_SET = ("podCIDR", "podCIDRs", "providerID")


def default(document: Document, context: Context) -> None:
    """What can be allocated is the capacity, unless it is said (SetDefaults_NodeStatus)."""
    part(document, "spec")
    status = part(document, "status")
    default_resource_list(status, "capacity")
    default_resource_list(status, "allocatable")
    if status.get("allocatable") is None and status.get("capacity") is not None:
        status["allocatable"] = dict(status["capacity"])


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    spec, status = document.get("spec") or {}, document.get("status") or {}
    return [
        *taint_errors(spec.get("taints") or (), "metadata.taints"),
        *_resource_errors(status),
        *_cidr_errors(spec.get("podCIDRs") or []),
    ]


def _resource_errors(status: Document) -> list[FieldError]:
    errors: list[FieldError] = []
    for field in ("capacity", "allocatable"):
        for name, quantity in quantities(status.get(field)).items():
            errors += quantity_errors(name, quantity, f"status.{field}.{name}")
    return errors


def _cidr_errors(cidrs: list[str]) -> list[FieldError]:
    path = "spec.podCIDRs"
    errors = [
        invalid_value(f"{path}[{index}]", cidrs, "must be valid CIDR")
        for index, cidr in enumerate(cidrs)
        if not is_cidr(cidr)
    ]
    if len(cidrs) > 1 and not errors:
        if len({family(cidr.partition("/")[0]) for cidr in cidrs}) != 2 or len(cidrs) > 2:
            errors.append(invalid_value(path, cidrs, "may specify no more than one CIDR for each IP family"))
        errors += [duplicate_value(f"{path}[{index}]", cidrs[index]) for index in repeats(cidrs)]
    return errors


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors = list(validate(new, context))
    addresses = (new.get("status") or {}).get("addresses") or []
    for index in repeats(frozenset(address.items()) for address in addresses):
        errors.append(duplicate_value(f"status.addresses[{index}]", addresses[index]))
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    for field, name in (("podCIDRs", "podCIDR"), ("providerID", "providerID")):
        if before.get(field) and before[field] != spec.get(field):
            detail = f'node updates may not change {name} except from "" to valid'
            errors.append(forbidden_field(f"spec.{field}", detail))
    if _rest(spec, before) != _rest(before, before):
        errors.append(forbidden_field("[]", _NOTHING_ELSE))
    return errors


def _rest(spec: Document, before: Document) -> dict[str, Any]:
    """The part of a spec that may not change once it is set."""
    settable = {name for name in _ONCE_SET if not before.get(name)}
    return {name: value for name, value in spec.items() if value and name not in _MAY_CHANGE and name not in settable}


def fields(document: Document) -> dict[str, str]:
    return {"spec.unschedulable": "true" if (document.get("spec") or {}).get("unschedulable") else "false"}


def _status(document: Document, now: float) -> str:
    ready = [c for c in at(document, "status.conditions") or () if c.get("type") == "Ready"]
    words = ["Ready" if ready[-1].get("status") == "True" else "NotReady"] if ready else ["Unknown"]
    if at(document, "spec.unschedulable"):
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(document: Document, now: float) -> str:
    roles = set()
    for label, value in (at(document, "metadata.labels") or {}).items():
        if label.startswith(ROLE_PREFIX):
            roles.add(label.removeprefix(ROLE_PREFIX))
        elif label == ROLE_LABEL:
            roles.add(value)
    return ",".join(sorted(role for role in roles if role)) or NONE


def _address(type_: str) -> Cell:
    def cell(document: Document, now: float) -> str:
        found = (a for a in at(document, "status.addresses") or () if a.get("type") == type_)
        return next((address.get("address") for address in found), None) or NONE

    return cell


KIND = Kind(
    kind="Node",
    plural="nodes",
    namespaced=False,
    short_names=("no",),
    subresources=(STATUS, Subresource("proxy", verbs=("create", "delete", "get", "patch", "update"))),
    columns=(
        Column("Status", _status, description="The status of the node"),
        Column("Roles", _roles, description="The roles of the node"),
        AGE,
        Column("Version", text("status.nodeInfo.kubeletVersion")),
        Column("Internal-IP", _address("InternalIP"), priority=1),
        Column("External-IP", _address("ExternalIP"), priority=1),
        Column("OS-Image", text("status.nodeInfo.osImage", UNKNOWN), priority=1),
        Column("Kernel-Version", text("status.nodeInfo.kernelVersion", UNKNOWN), priority=1),
        Column("Container-Runtime", text("status.nodeInfo.containerRuntimeVersion", UNKNOWN), priority=1),
    ),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    validate_status=validate_update,
    fields=fields,
    status_on_create=True,
)
