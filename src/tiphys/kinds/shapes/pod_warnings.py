"""Warnings about pods and templates that are allowed but hardly meant (pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterator

from tiphys.base.document import Document
from tiphys.base.field_error import quoted
from tiphys.kinds.shapes.affinity_validation import PREFERRED, REQUIRED
from tiphys.kinds.shapes.pod_annotations import SECCOMP_CONTAINER, SECCOMP_POD
from tiphys.kinds.shapes.port_warnings import port_warnings
from tiphys.kinds.shapes.resource_requirements_validation import quantity

NO_POD = "a null labelSelector results in matching no pod"
SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'
_LABELS = {
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
}
_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": (
        'non-functional in v1.16+; use the "priorityClassName" field instead'
    ),
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
_SHOWN = {"storageos": "storageOS"}


def pod_warnings(holder: Document, prefix: str = "") -> list[str]:
    """`holder` has metadata and spec; `prefix` is its path with a dot, as `spec.template.`, empty for a Pod."""
    spec, metadata = holder.get("spec") or {}, holder.get("metadata") or {}
    warnings = [*_scheduling(spec, f"{prefix}spec"), *_annotations(metadata, prefix)]
    for index, volume in enumerate(spec.get("volumes") or ()):
        for source in _VOLUMES.keys() & volume.keys():
            where = f"{prefix}spec.volumes[{index}].{_SHOWN.get(source, source)}"
            warnings.append(f"{where}: {_VOLUMES[source]}")
    warnings += _duplicates(spec, f"{prefix}spec")
    warnings += _fractions(spec.get("overhead"), f"{prefix}spec.overhead")
    warnings += _seccomp(spec, metadata, prefix)
    for container, path in containers_of(spec, f"{prefix}spec"):
        warnings += _container(container, path)
    warnings += port_warnings(containers_of(spec, f"{prefix}spec"))
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        words = "must be >= 0; negative values are invalid and will be treated as 1"
        warnings.append(f"{prefix}spec.terminationGracePeriodSeconds: {words}")
    return warnings + list(_null_selectors(spec, f"{prefix}spec"))


def containers_of(spec: Document, path: str) -> Iterator[tuple[Document, str]]:
    """Every container with its path: init, regular, ephemeral."""
    for field in ("initContainers", "containers", "ephemeralContainers"):
        for index, container in enumerate(spec.get(field) or ()):
            yield container, f"{path}.{field}[{index}]"


def _scheduling(spec: Document, path: str) -> Iterator[str]:
    for key in spec.get("nodeSelector") or ():
        if key in _LABELS:
            yield f"{path}.nodeSelector[{key}]: {_LABELS[key]}"
    if affinity := (spec.get("affinity") or {}).get("nodeAffinity"):
        yield from _node_affinity(affinity, f"{path}.affinity.nodeAffinity")
    for index, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        here, key = f"{path}.topologySpreadConstraints[{index}]", constraint.get("topologyKey") or ""
        if key in _LABELS:
            yield f"{here}.topologyKey: {key} is {_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{here}.labelSelector: {NO_POD}"


def _node_affinity(affinity: Document, path: str) -> Iterator[str]:
    terms = [
        (term, f"{path}.{REQUIRED}.nodeSelectorTerms[{index}]")
        for index, term in enumerate((affinity.get(REQUIRED) or {}).get("nodeSelectorTerms") or ())
    ]
    terms += [
        (weighted.get("preference") or {}, f"{path}.{PREFERRED}[{index}].preference")
        for index, weighted in enumerate(affinity.get(PREFERRED) or ())
    ]
    for term, here in terms:
        for index, expression in enumerate(term.get("matchExpressions") or ()):
            key = expression.get("key") or ""
            if key in _LABELS:
                yield f"{here}.matchExpressions[{index}].key: {key} is {_LABELS[key]}"


def _annotations(metadata: Document, prefix: str) -> Iterator[str]:
    annotations = metadata.get("annotations") or {}
    for key, words in _ANNOTATIONS.items():
        if key in annotations:
            yield f"{prefix}metadata.annotations[{key}]: {words}"


def _duplicates(spec: Document, path: str) -> Iterator[str]:
    for field, key, what in (("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")):
        seen: set[str] = set()
        for index, item in enumerate(spec.get(field) or ()):
            value = item.get(key) or ""
            if value in seen:
                yield f"{path}.{field}[{index}].{key}: duplicate {what} {quoted(value)}"
            seen.add(value)
    for index, item in enumerate(spec.get("imagePullSecrets") or ()):
        if not item.get("name"):
            yield f'{path}.imagePullSecrets[{index}].name: invalid empty name ""'


def _fractions(amounts: Document | None, path: str) -> Iterator[str]:
    for name in ("memory", "ephemeral-storage"):
        if amounts and name in amounts:
            amount = quantity(amounts[name])
            if amount is not None and amount.milli_value % 1000:
                yield f"{path}[{name}]: fractional byte value {quoted(str(amount))} is invalid, must be an integer"


def _seccomp(spec: Document, metadata: Document, prefix: str) -> Iterator[str]:
    annotations = metadata.get("annotations")
    if not annotations:
        return
    holders = [(SECCOMP_POD, spec)]
    holders += [(SECCOMP_CONTAINER + (c.get("name") or ""), c) for c, _ in containers_of(spec, "")]
    for key, holder in holders:
        if key in annotations and not (holder.get("securityContext") or {}).get("seccompProfile"):
            yield f"{prefix}metadata.annotations[{key}]: {SECCOMP}"


def _container(container: Document, path: str) -> Iterator[str]:
    resources = container.get("resources") or {}
    for name in ("memory", "ephemeral-storage"):
        for field in ("limits", "requests"):
            amounts = resources.get(field)
            if amounts and name in amounts:
                yield from _fractions({name: amounts[name]}, f"{path}.resources.{field}")
    seen: set[str] = set()
    for index, variable in enumerate(container.get("env") or ()):
        name = variable.get("name") or ""
        if name in seen and _hides(variable, f"$({name})"):
            words = f"hides previous definition of {quoted(name)}, which may be dropped when using apply"
            yield f"{path}.env[{index}]: {words}"
        seen.add(name)


def _hides(variable: Document, reference: str) -> bool:
    """A second definition is meant only if it builds on the first one: `X=$(X):more`."""
    value = variable.get("value") or ""
    return variable.get("valueFrom") is not None or value == reference or reference not in value


def _null_selectors(spec: Document, path: str) -> Iterator[str]:
    for kind in ("podAffinity", "podAntiAffinity"):
        rules, here = (spec.get("affinity") or {}).get(kind) or {}, f"{path}.affinity.{kind}"
        for index, term in enumerate(rules.get(REQUIRED) or ()):
            if term.get("labelSelector") is None:
                yield f"{here}.{REQUIRED}[{index}].labelSelector: {NO_POD}"
        for index, weighted in enumerate(rules.get(PREFERRED) or ()):
            if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
                yield f"{here}.{PREFERRED}[{index}].podAffinityTerm.labelSelector: {NO_POD}"
