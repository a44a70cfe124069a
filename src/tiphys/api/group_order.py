"""The order in which groups and their versions are told to clients, which take the first that fits.

Upstream's aggregator gives each group a priority (kubernetes `cmd/kube-apiserver/app/aggregator.go`, later
`pkg/controlplane/apiserver/aggregator.go`); equals go by name. apiregistration comes first, the core group is apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PRIORITIES = {
    "apiregistration.k8s.io": 20000,
    "": 18000,
    "apps": 17800,
    "events.k8s.io": 17750,
    "authentication.k8s.io": 17700,
    "authorization.k8s.io": 17600,
    "autoscaling": 17500,
    "batch": 17400,
    "certificates.k8s.io": 17300,
    "networking.k8s.io": 17200,
    "extensions": 17150,
    "policy": 17100,
    "rbac.authorization.k8s.io": 17000,
    "storage.k8s.io": 16800,
    "apiextensions.k8s.io": 16700,
    "admissionregistration.k8s.io": 16700,
    "scheduling.k8s.io": 16600,
    "coordination.k8s.io": 16500,
    "node.k8s.io": 16300,
    "discovery.k8s.io": 16200,
    "flowcontrol.apiserver.k8s.io": 16100,
    "internal.apiserver.k8s.io": 16000,
    "resource.k8s.io": 15900,
    "storagemigration.k8s.io": 15800,
}
_OTHERS = 1000
_VERSION = re.compile(r"v([1-9][0-9]*)(?:(alpha|beta)([1-9][0-9]*))?")
_STABILITY = {None: 0, "beta": 1, "alpha": 2}


def sorted_groups(groups: Iterable[str]) -> list[str]:
    """Highest priority first, then by name."""
    return sorted(groups, key=lambda group: (-_PRIORITIES.get(group, _OTHERS), group))


def sorted_versions(versions: Iterable[str]) -> list[str]:
    """Stable, beta, alpha; newer before older; oddly named ones last (version.CompareKubeAwareVersionStrings)."""
    return sorted(versions, key=_rank)


def _rank(version: str) -> tuple[int, int, int, str]:
    parsed = _VERSION.fullmatch(version)
    if parsed is None:
        return 3, 0, 0, version
    major, stability, minor = parsed.groups()
    return _STABILITY[stability], -int(major), -int(minor or 0), version
