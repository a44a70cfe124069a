"""Resources of the pod as a whole: claims to devices, and pod-level requests and limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, duplicate, forbidden_field, invalid_value, required, unsupported
from tiphys.base.quantity import Quantity
from tiphys.kinds.shapes.field_checks import Errors, dns_label, dns_subdomain
from tiphys.kinds.shapes.pod_rules import PodRules
from tiphys.kinds.shapes.resource_name import is_huge_page, resource_name_errors
from tiphys.kinds.shapes.resource_requirements_validation import quantity, validate_requirements

_REFERENCES = ("resourceClaimName", "resourceClaimTemplateName")


def validate_claims(claims: Sequence[Document], path: str, errors: Errors) -> None:
    """Each claim has its own name and points to a ResourceClaim or a template of one (validatePodResourceClaim)."""
    names: set[Any] = set()
    for index, claim in enumerate(claims):
        here, name = f"{path}[{index}]", claim.get("name") or ""
        if not name:
            errors.append(required(f"{here}.name"))
        elif name in names:
            errors.append(duplicate(f"{here}.name", name))
        else:
            dns_label(name, f"{here}.name", errors)
            names.add(name)
        _one_reference(claim, here, errors)


def _one_reference(claim: Document, path: str, errors: Errors) -> None:
    present = [field for field in _REFERENCES if claim.get(field) is not None]
    if len(present) == 2:
        words = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
        errors.append(invalid_value(path, claim, words))
    if not present:
        words = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
        errors.append(invalid_value(path, claim, words))
    for field in present:
        dns_subdomain(claim[field], f"{path}.{field}", errors)


def _pod_resource_name(name: str, path: str) -> list[FieldError]:
    errors = resource_name_errors(name, path)
    if not errors and name not in ("cpu", "memory") and not is_huge_page(name):
        return [unsupported(path, name, ("cpu", "memory"))]
    return errors


def validate_pod_resources(spec: Document, path: str, rules: PodRules, errors: Errors) -> None:
    """Pod-level amounts must cover what the containers ask for (validatePodResources)."""
    resources: Document = spec["resources"]
    if resources.get("claims") is not None:
        words = "claims cannot be set for Resources at pod-level"
        errors.append(forbidden_field(f"{path}.claims", words))
    validate_requirements(resources, path, (), errors, _pod_resource_name)
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name, total in container_requests(spec).items():
        own = quantity(requests.get(name, "0"))
        if own is not None and total > own:
            words = f"must be greater than or equal to aggregate container requests of {total}"
            errors.append(invalid_value(f"{path}.requests[{name}]", str(own), words))
    for index, container in enumerate(spec.get("containers") or ()):
        for name, amount in ((container.get("resources") or {}).get("limits") or {}).items():
            own, limit = quantity(amount), quantity(limits[name]) if name in limits else None
            if own is not None and limit is not None and own > limit:
                words = f"must be less than or equal to pod limits of {limit}"
                errors.append(invalid_value(f"{path}.containers[{index}][{name}].limits", str(own), words))


def container_requests(spec: Document) -> dict[str, Quantity]:
    """The sum over regular containers and sidecars, or a bigger init container (AggregateContainerRequests)."""
    total: dict[str, Quantity] = {}
    for container in spec.get("containers") or ():
        _add(total, _requests(container))
    sidecars: dict[str, Quantity] = {}
    peak: dict[str, Quantity] = {}
    for container in spec.get("initContainers") or ():
        asked = _requests(container)
        if container.get("restartPolicy") == "Always":
            _add(total, asked)
            _add(sidecars, asked)
            asked = dict(sidecars)
        else:
            _add(asked, sidecars)
        for name, amount in asked.items():
            peak[name] = max(peak.get(name, amount), amount)
    for name, amount in peak.items():
        total[name] = max(total.get(name, amount), amount)
    return dict(sorted(total.items()))


def _requests(container: Document) -> dict[str, Quantity]:
    asked = (container.get("resources") or {}).get("requests") or {}
    parsed = {name: quantity(amount) for name, amount in asked.items()}
    return {name: amount for name, amount in parsed.items() if amount is not None}


def _add(total: dict[str, Quantity], more: dict[str, Quantity]) -> None:
    for name, amount in more.items():
        total[name] = total[name] + amount if name in total else amount
