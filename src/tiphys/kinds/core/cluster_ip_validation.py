"""Addresses of a Service: clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy, and how they may change."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, duplicate, invalid_value, required, unsupported
from tiphys.kinds.shapes.field_checks import repeats
from tiphys.kinds.shapes.ip import family, ip_errors

FAMILIES = ("IPv4", "IPv6")
POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
ONCE = "may not change once set"


def is_headless(spec: Document) -> bool:
    """Without an address by wish."""
    return spec.get("clusterIPs") == ["None"]


def cluster_errors(spec: Document) -> list[FieldError]:
    """What a cluster with IPv4 only cannot give (initIPFamilyFields). Selectorless headless services may ask."""
    if is_headless(spec) and not spec.get("selector"):
        return []
    errors: list[FieldError] = []
    if spec.get("ipFamilyPolicy") == "RequireDualStack":
        detail = "this cluster is not configured for dual-stack services"
        errors.append(invalid_value("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], detail))
    for index, name in enumerate(spec.get("ipFamilies") or ()):
        if name == "IPv6" and not errors:
            errors.append(invalid_value(f"spec.ipFamilies[{index}]", name, "not configured on this cluster"))
    return errors


def cluster_ip_errors(spec: Document) -> list[FieldError]:
    """clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy (validateServiceClusterIPsRelatedFields)."""
    ips, families = spec.get("clusterIPs") or [], spec.get("ipFamilies") or []
    errors = _in_step_errors(spec.get("clusterIP") or "", ips)
    repeated = set(repeats(families))
    for index, name in enumerate(families):
        if name not in FAMILIES:
            errors.append(unsupported(f"spec.ipFamilies[{index}]", name, FAMILIES))
        if index in repeated:
            errors.append(duplicate(f"spec.ipFamilies[{index}]", name))
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in POLICIES:
        errors.append(unsupported("spec.ipFamilyPolicy", policy, POLICIES))
    wrong = _address_errors(ips)
    if len(ips) > 2:
        errors += [*wrong, invalid_value("spec.clusterIPs", ips, "may only hold up to 2 values")]
    else:
        errors += wrong
    return errors if wrong else errors + _family_errors(spec, ips, families)


def _in_step_errors(ip: str, ips: list[str]) -> list[FieldError]:
    path = "spec.clusterIPs"
    if ip and not ips:
        return [required(path)]
    if ip and ips[0] != ip:
        return [invalid_value(path, ips, "first value must match `clusterIP`")]
    return [invalid_value(path, ips, "must be empty when `clusterIP` is not specified")] if ips and not ip else []


def _address_errors(ips: list[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, ip in enumerate(ips):
        if index == 0 and ip == "None":
            if len(ips) > 1:
                errors.append(invalid_value("spec.clusterIPs", ips, "'None' must be the first and only value"))
            continue
        errors += ip_errors(ip, f"spec.clusterIPs[{index}]")
    return errors


def _family_errors(spec: Document, ips: list[str], families: list[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    if len(ips) > 1 and len({family(ip) for ip in ips}) < 2:
        detail = "may specify no more than one IP for each IP family"
        errors.append(invalid_value("spec.clusterIPs", ips, detail))
    if is_headless(spec):
        return errors
    for index, (ip, wanted) in enumerate(zip(ips, families, strict=False)):
        if wanted in FAMILIES and family(ip) != wanted:
            detail = f"expected an {wanted} value as indicated by `ipFamilies[{index}]`"
            errors.append(invalid_value(f"spec.clusterIPs[{index}]", ip, detail))
    return errors


def changed_ip_errors(spec: Document, before: Document) -> list[FieldError]:
    """The first address stays; the second may come and, by policy, go (validateUpgradeDowngradeClusterIPs)."""
    ips, old = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    if is_headless(spec) and is_headless(before):
        return []
    if len(old) == len(ips):
        changed = [index for index, ip in enumerate(old) if ip != ips[index]]
        return [invalid_value(f"spec.clusterIPs[{index}]", ips, ONCE) for index in changed]
    errors: list[FieldError] = []
    path = "spec.clusterIPs[0]"
    if not ips:
        errors.append(invalid_value(path, spec.get("clusterIPs"), "primary clusterIP can not be unset"))
    if old and ips and ips[0] != old[0]:
        errors.append(invalid_value(path, ips, ONCE))
    if len(old) > len(ips) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        detail = "must be set to 'SingleStack' when releasing the secondary clusterIP"
        errors.append(invalid_value("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), detail))
    return errors


def changed_family_errors(spec: Document, before: Document) -> list[FieldError]:
    families, old = spec.get("ipFamilies") or [], before.get("ipFamilies") or []
    if is_headless(spec) or is_headless(before):
        return []
    if len(old) == len(families):
        changed = [index for index, name in enumerate(old) if name != families[index]]
        return [invalid_value(f"spec.ipFamilies[{index}]", families, ONCE) for index in changed]
    path = "spec.ipFamilies[0]"
    if not families:
        return [invalid_value(path, spec.get("ipFamilies"), "primary ipFamily can not be unset")]
    errors = [invalid_value(path, families, ONCE)] if old and families[0] != old[0] else []
    if len(old) > len(families) == 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        detail = "must be set to 'SingleStack' when releasing the secondary ipFamily"
        errors.append(invalid_value("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), detail))
    return errors
