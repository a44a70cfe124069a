"""How many pods may be when (`deployment/util/deployment_util.go`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tiphys.base.document import Document
from tiphys.controllers.replica_set_status import wanted

UNLIMITED = 2**31 - 1
"""progressDeadlineSeconds and revisionHistoryLimit of this value mean none."""

DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS = "deployment.kubernetes.io/max-replicas"


def scaled(value: Any, total: int, round_up: bool) -> int:
    """An integer as it is, `25%` as that part of the total (intstr.GetScaledValueFromIntOrPercent)."""
    if isinstance(value, str) and value.endswith("%"):
        percent = int(value[:-1])
        return -(-total * percent // 100) if round_up else total * percent // 100
    return int(value or 0)


def is_rolling(deployment: Document) -> bool:
    return strategy(deployment) == "RollingUpdate"


def strategy(deployment: Document) -> str:
    return str((deployment["spec"].get("strategy") or {}).get("type") or "RollingUpdate")


def _fenceposts(deployment: Document) -> tuple[int, int]:
    """(surge, unavailable); both zero would never move, so then one may be unavailable."""
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    total = wanted(deployment)
    surge = scaled(rolling.get("maxSurge", "25%"), total, True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), total, False)
    return surge, unavailable if surge or unavailable else 1


def max_surge(deployment: Document) -> int:
    return _fenceposts(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Document) -> int:
    total = wanted(deployment)
    if not is_rolling(deployment) or total == 0:
        return 0
    return min(_fenceposts(deployment)[1], total)


def has_deadline(deployment: Document) -> bool:
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return seconds is not None and seconds != UNLIMITED


def desired_total(sets: Iterable[Document]) -> int:
    """The sum of spec.replicas."""
    return sum(wanted(each) for each in sets)


def status_total(sets: Iterable[Document], field: str) -> int:
    """The sum of a status field, as `availableReplicas`."""
    return sum((each.get("status") or {}).get(field) or 0 for each in sets)


def active(sets: Iterable[Document]) -> list[Document]:
    """Those that have or should have pods."""
    return [each for each in sets if wanted(each) > 0]


def by_age(sets: Iterable[Document]) -> list[Document]:
    """Oldest first, then by name."""
    return sorted(sets, key=_age)


def by_size_older(sets: Iterable[Document]) -> list[Document]:
    """Largest first, among equals the oldest."""
    return sorted(by_age(sets), key=lambda each: -wanted(each))


def by_size_newer(sets: Iterable[Document]) -> list[Document]:
    """Largest first, among equals the newest."""
    return sorted(by_age(sets), key=wanted)[::-1]


def _age(replica_set: Document) -> tuple[str, str]:
    meta = replica_set["metadata"]
    return (meta.get("creationTimestamp") or "", meta["name"])


def annotated(replica_set: Document, name: str) -> int | None:
    """An annotation that is an integer."""
    text = (replica_set["metadata"].get("annotations") or {}).get(name)
    try:
        return int(text) if text is not None else None
    except ValueError:
        return None


def new_set_replicas(deployment: Document, sets: Iterable[Document], new: Document) -> int:
    """How many pods the new set should have now (NewRSNewReplicas). `sets` are all, the new one included."""
    total = wanted(deployment)
    if not is_rolling(deployment):
        return total
    room = total + max_surge(deployment) - desired_total(sets)
    if room <= 0:
        return wanted(new)
    return wanted(new) + min(room, total - wanted(new))


def is_saturated(deployment: Document, replica_set: Document | None) -> bool:
    """Whether set and deployment agree that this set has all the pods, and all are available."""
    if replica_set is None:
        return False
    total = wanted(deployment)
    available = (replica_set.get("status") or {}).get("availableReplicas") or 0
    return wanted(replica_set) == total == annotated(replica_set, DESIRED_REPLICAS) and available == total


def proportion(replica_set: Document, deployment: Document, to_add: int, added: int) -> int:
    """This set's share of `to_add` replicas of which `added` are given out (GetProportion)."""
    if not wanted(replica_set) or not to_add or to_add == added:
        return 0
    fraction, allowed = _fraction(replica_set, deployment), to_add - added
    return min(fraction, allowed) if to_add > 0 else max(fraction, allowed)


def _fraction(replica_set: Document, deployment: Document) -> int:
    size = wanted(replica_set)
    if wanted(deployment) == 0:
        return -size
    before = annotated(replica_set, MAX_REPLICAS)
    if not before:
        before = (deployment.get("status") or {}).get("replicas") or size
    now = wanted(deployment) + max_surge(deployment)
    return int(size * now / before + 0.5) - size
