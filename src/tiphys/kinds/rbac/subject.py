"""Whom a binding binds, and to which role: all that role bindings and cluster role bindings share."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from tiphys.api.kind import Column, Context
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required, unsupported
from tiphys.base.name_rules import dns1123_subdomain, path_segment
from tiphys.kinds.rbac.policy_rule import GROUP
from tiphys.kinds.shapes.columns import AGE, Cell
from tiphys.kinds.shapes.part import part

KINDS = ("ServiceAccount", "User", "Group")


def default(document: Document, context: Context) -> None:
    """Roles, users and groups are of RBAC's own group (SetDefaults_RoleBinding, SetDefaults_Subject)."""
    role = part(document, "roleRef")
    role["apiGroup"] = role.get("apiGroup") or GROUP
    for subject in document.get("subjects") or ():
        if subject.get("kind") in ("User", "Group") and not subject.get("apiGroup"):
            subject["apiGroup"] = GROUP


def binding_errors(document: Document, role_kinds: Sequence[str]) -> list[FieldError]:
    """Of the role and the subjects; a service account needs a namespace unless the binding has one."""
    errors = _role_errors(document.get("roleRef") or {}, role_kinds)
    namespaced = "Role" in role_kinds
    for index, subject in enumerate(document.get("subjects") or ()):
        errors += _subject_errors(subject, namespaced, f"subjects[{index}]")
    return errors


def _role_errors(role: Document, kinds: Sequence[str]) -> list[FieldError]:
    group, kind, name = role.get("apiGroup") or "", role.get("kind") or "", role.get("name") or ""
    errors = [] if group == GROUP else [unsupported("roleRef.apiGroup", group, [GROUP])]
    if kind not in kinds:
        errors.append(unsupported("roleRef.kind", kind, kinds))
    if not name:
        errors.append(required("roleRef.name"))
    return errors + [invalid_value("roleRef.name", name, detail) for detail in path_segment(name)]


def _subject_errors(subject: Document, namespaced: bool, path: str) -> list[FieldError]:
    kind, name, group = subject.get("kind") or "", subject.get("name") or "", subject.get("apiGroup") or ""
    errors = [] if name else [required(f"{path}.name")]
    if kind == "ServiceAccount":
        if name:
            errors += [invalid_value(f"{path}.name", name, detail) for detail in dns1123_subdomain(name)]
        if group:
            errors.append(unsupported(f"{path}.apiGroup", group, [""]))
        if not namespaced and not subject.get("namespace"):
            errors.append(required(f"{path}.namespace"))
    elif kind in KINDS:
        if group != GROUP:
            errors.append(unsupported(f"{path}.apiGroup", group, [GROUP]))
    else:
        errors.append(unsupported(f"{path}.kind", kind, KINDS))
    return errors


def changed_role_errors(new: Document, old: Document) -> list[FieldError]:
    """A binding keeps its role; to change it, delete the binding and make another."""
    role, before = _as_go(new.get("roleRef") or {}), _as_go(old.get("roleRef") or {})
    if role == before:
        return []
    return [invalid_value("roleRef", orjson.Fragment(orjson.dumps(role)), "cannot change roleRef")]


def _as_go(role: Document) -> dict[str, str]:
    """A role reference as upstream prints it: its internal type, with Go's field names."""
    return {"APIGroup": role.get("apiGroup") or "", "Kind": role.get("kind") or "", "Name": role.get("name") or ""}


def _role(document: Document, now: float) -> str:
    role = document.get("roleRef") or {}
    return f"{role.get('kind') or ''}/{role.get('name') or ''}"


def _subjects(kind: str) -> Cell:
    def cell(document: Document, now: float) -> str:
        found = [s for s in document.get("subjects") or () if s.get("kind") == kind]
        return ", ".join(_subject_name(subject) for subject in found)

    return cell


def _subject_name(subject: Document) -> str:
    name = str(subject.get("name") or "")
    if subject.get("kind") == "ServiceAccount":
        return f"{subject.get('namespace') or ''}/{name}"
    return name


def columns(binding: str) -> tuple[Column, ...]:
    """Of a `roleBinding` or `clusterRoleBinding`, as the descriptions call it."""
    return (
        Column("Role", _role),
        AGE,
        Column("Users", _subjects("User"), description=f"Users in the {binding}", priority=1),
        Column("Groups", _subjects("Group"), description=f"Groups in the {binding}", priority=1),
        Column(
            "ServiceAccounts",
            _subjects("ServiceAccount"),
            description=f"ServiceAccounts in the {binding}",
            priority=1,
        ),
    )
