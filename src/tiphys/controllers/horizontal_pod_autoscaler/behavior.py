"""What is made of a proposal: held back for a while, and changed no faster than allowed (`horizontal.go`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tiphys.base.clock import Clock
from tiphys.base.document import Document

SCALE_UP_FACTOR, SCALE_UP_LEAST = 2.0, 4.0
Choice = Callable[[Iterable[int]], int]
Told = tuple[int, str, str]
"""Replicas, and the reason and message of a condition."""
_WITHIN = ("DesiredWithinRange", "the desired count is within the acceptable range")
_TOO_MANY = ("TooManyReplicas", "the desired replica count is more than the maximum replica count")
_TOO_FEW = ("TooFewReplicas", "the desired replica count is less than the minimum replica count")
_UP_LIMIT = ("ScaleUpLimit", "the desired replica count is increasing faster than the maximum scale rate")
_DOWN_LIMIT = ("ScaleDownLimit", "the desired replica count is decreasing faster than the maximum scale rate")
HIGHEST = (
    "ScaleDownStabilized",
    "recent recommendations were higher than current one, applying the highest recent recommendation",
)
LOWEST = (
    "ScaleUpStabilized",
    "recent recommendations were lower than current one, applying the lowest recent recommendation",
)
READY = ("ReadyForNewScale", "recommended size matches current size")


@dataclass(frozen=True, slots=True)
class Range:
    """Replicas now, and the fewest and most there may be."""

    current: int
    least: int
    most: int


@dataclass
class History:
    """What was proposed and done for one autoscaler: (time, number) each."""

    recommendations: list[tuple[float, int]] = field(default_factory=list)
    ups: list[tuple[float, int]] = field(default_factory=list)
    downs: list[tuple[float, int]] = field(default_factory=list)


class Pace:
    """The history of one autoscaler and the rules over it."""

    def __init__(self, clock: Clock, downscale_stabilization: float) -> None:
        self._clock = clock
        self._window = downscale_stabilization
        self._history = History()

    def begin(self, current: int) -> None:
        """The first number seen counts as a recommendation."""
        if not self._history.recommendations:
            self._history.recommendations.append((self._clock.now(), current))

    def normalize(self, rules: Document | None, proposed: int, range_: Range) -> tuple[Told, Told, bool]:
        """What is wanted after stabilization and after limits, each with its condition, and whether limits changed
        it."""
        if rules is None:
            stable = self._stabilize(proposed)
            limited = _limit(stable[0], range_)
        else:
            stable = self._stabilize_by(rules, proposed, range_.current)
            limited = self._limit_by(rules, stable[0], range_)
        return stable, limited, limited[0] != stable[0]

    def _stabilize(self, proposed: int) -> Told:
        """The highest recommendation of the window (stabilizeRecommendation)."""
        now = self._clock.now()
        recent = [each for each in self._history.recommendations if each[0] >= now - self._window]
        highest = max(proposed, *(number for _, number in recent)) if recent else proposed
        self._history.recommendations = [*recent, (now, proposed)]
        return (highest, *(READY if highest == proposed else HIGHEST))

    def _stabilize_by(self, rules: Document, proposed: int, current: int) -> Told:
        """stabilizeRecommendationWithBehaviors."""
        now = self._clock.now()
        up, down = self._windows(rules)
        recent = self._history.recommendations
        lowest = min([proposed, *(number for at, number in recent if at > now - up)])
        highest = max([proposed, *(number for at, number in recent if at > now - down)])
        stable = min(max(current, lowest), highest)
        kept = [each for each in recent if each[0] >= now - max(up, down)]
        self._history.recommendations = [*kept, (now, proposed)]
        why = READY if stable == proposed else LOWEST if proposed >= current else HIGHEST
        return (stable, *why)

    def _windows(self, rules: Document) -> tuple[float, float]:
        up = (rules.get("scaleUp") or {}).get("stabilizationWindowSeconds")
        down = (rules.get("scaleDown") or {}).get("stabilizationWindowSeconds")
        return up or 0.0, self._window if down is None else down

    def _limit_by(self, rules: Document, wanted: int, range_: Range) -> Told:
        """convertDesiredReplicasWithBehaviorRate."""
        if wanted > range_.current:
            limit = max(range_.current, self._up_limit(rules.get("scaleUp") or {}, range_.current))
            allowed, why = (limit, _UP_LIMIT) if range_.most > limit else (range_.most, _TOO_MANY)
            if wanted > allowed:
                return (allowed, *why)
        elif wanted < range_.current:
            limit = min(range_.current, self._down_limit(rules.get("scaleDown") or {}, range_.current))
            allowed, why = (limit, _DOWN_LIMIT) if range_.least < limit else (range_.least, _TOO_FEW)
            if wanted < allowed:
                return (allowed, *why)
        return (wanted, *_WITHIN)

    def _up_limit(self, rules: Document, current: int) -> int:
        proposals = []
        for policy in rules.get("policies") or ():
            began, value = self._at_start(current, policy["periodSeconds"]), policy["value"]
            many = policy["type"] == "Percent"
            proposals.append(math.ceil(began * (1 + value / 100)) if many else began + value)
        return _chosen(rules, proposals, current, most=max, least=min)

    def _down_limit(self, rules: Document, current: int) -> int:
        proposals = []
        for policy in rules.get("policies") or ():
            began, value = self._at_start(current, policy["periodSeconds"]), policy["value"]
            many = policy["type"] == "Percent"
            proposals.append(int(began * (1 - value / 100)) if many else began - value)
        return _chosen(rules, proposals, current, most=min, least=max)

    def _at_start(self, current: int, period: int) -> int:
        """How many there were when the period began."""
        since = self._clock.now() - period
        added = sum(number for at, number in self._history.ups if at > since)
        deleted = sum(number for at, number in self._history.downs if at > since)
        return current - added + deleted

    def scaled(self, rules: Document | None, before: int, after: int) -> None:
        """Remember a change (storeScaleEvent)."""
        if rules is None:
            return
        now = self._clock.now()
        history = self._history
        if after > before:
            history.ups = [*_young(history.ups, rules, now), (now, after - before)]
        else:
            history.downs = [*_young(history.downs, rules, now), (now, before - after)]


def _young(events: Iterable[tuple[float, int]], rules: Document, now: float) -> list[tuple[float, int]]:
    """Those that some policy still looks back to; both directions' policies look at both directions' changes."""
    both = [
        *((rules.get("scaleUp") or {}).get("policies") or ()),
        *((rules.get("scaleDown") or {}).get("policies") or ()),
    ]
    longest = max((policy["periodSeconds"] for policy in both), default=0)
    return [each for each in events if each[0] >= now - longest]


def _chosen(rules: Document, proposals: list[int], current: int, *, most: Choice, least: Choice) -> int:
    """By selectPolicy: the greatest change, the smallest, or none."""
    select = rules.get("selectPolicy") or "Max"
    if select == "Disabled" or not proposals:
        return current
    return least(proposals) if select == "Min" else most(proposals)


def _limit(wanted: int, range_: Range) -> Told:
    """Without rules at most twice as many at once (convertDesiredReplicasWithRules)."""
    limit = int(max(SCALE_UP_FACTOR * range_.current, SCALE_UP_LEAST))
    most, why = (limit, _UP_LIMIT) if range_.most > limit else (range_.most, _TOO_MANY)
    if wanted < range_.least:
        return (range_.least, *_TOO_FEW)
    if wanted > most:
        return (most, *why)
    return (wanted, *_WITHIN)
