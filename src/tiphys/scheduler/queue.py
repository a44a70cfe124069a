"""Pods that wait for a node (scheduler `backend/queue`): active, backing off, or unschedulable for now.

Active pods are taken by priority, then by age. A pod that did not fit waits until something happens in the
cluster that may help it, at least for its backoff (1 s, doubling, at most 10 s), and is tried again after five
minutes whatever happened.
"""

from __future__ import annotations

import asyncio
import heapq
from dataclasses import dataclass

from tiphys.base.clock import Clock
from tiphys.scheduler.framework import PodInfo

INITIAL_BACKOFF = 1.0
LONGEST_BACKOFF = 10.0
UNSCHEDULABLE_SECONDS = 300.0


@dataclass(slots=True, eq=False)
class Waiting:
    """A pod in the queue; `attempts` counts failures in a row, `since` is when it first came (monotonic)."""

    info: PodInfo
    since: float
    attempts: int = 0
    failed_at: float = 0.0
    moved: int = 0
    """The count of cluster changes when its cycle began: one that came meanwhile may have helped it."""


class SchedulingQueue:
    """Keyed by the pods' uids."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: dict[str, Waiting] = {}
        self._active: list[tuple[int, float, int, str]] = []
        self._delayed: list[tuple[float, int, str]] = []
        self._queued: set[str] = set()
        self._parked: set[str] = set()
        self._sociable: set[str] = set()
        self._count = 0
        self._changes = 0
        self._news = asyncio.Event()

    def add(self, info: PodInfo) -> None:
        """A new pod, or a new version of one that waits; the latter is tried again if it asks for other things."""
        waiting = self._waiting.get(info.uid)
        if waiting is None:
            waiting = self._waiting[info.uid] = Waiting(info, self._clock.monotonic())
            self._activate(waiting)
            return
        same = waiting.info.pod["spec"] == info.pod["spec"]
        waiting.info = info
        if info.uid in self._parked and not same:
            self._retry(waiting)

    def remove(self, uid: str) -> None:
        """The pod is bound or gone."""
        self._waiting.pop(uid, None)
        self._parked.discard(uid)
        self._sociable.discard(uid)
        self._queued.discard(uid)

    def changed(self) -> None:
        """Something happened that may let a parked pod fit."""
        self._changes += 1
        for uid in sorted(self._parked, key=self._age):
            self._retry(self._waiting[uid])

    def placed(self) -> None:
        """A pod got a node or begins to leave it, which may help those that want others near or an even spread."""
        for uid in sorted(self._sociable & self._parked, key=self._age):
            self._retry(self._waiting[uid])

    def failed(self, waiting: Waiting, *, retry: bool = False) -> None:
        """The pod did not fit: park it. With `retry` (or if the cluster changed meanwhile) it backs off only."""
        if self._waiting.get(waiting.info.uid) is not waiting:
            return
        waiting.attempts += 1
        waiting.failed_at = self._clock.monotonic()
        if retry or waiting.moved != self._changes:
            self._delay(waiting, waiting.failed_at + _backoff(waiting.attempts))
            return
        self._parked.add(waiting.info.uid)
        if waiting.info.terms.affinity or waiting.info.spread:
            self._sociable.add(waiting.info.uid)
        self._delay(waiting, waiting.failed_at + UNSCHEDULABLE_SECONDS)

    async def pop(self) -> Waiting:
        """The next pod to try."""
        while True:
            self._ripen()
            while self._active:
                uid = heapq.heappop(self._active)[3]
                waiting = self._waiting.get(uid)
                if waiting is not None and uid in self._queued:
                    self._queued.discard(uid)
                    waiting.moved = self._changes
                    return waiting
            await self._wait()

    def _age(self, uid: str) -> tuple[float, str]:
        return self._waiting[uid].since, uid

    def _activate(self, waiting: Waiting) -> None:
        uid = waiting.info.uid
        self._parked.discard(uid)
        if uid in self._queued:
            return
        self._queued.add(uid)
        self._count += 1
        heapq.heappush(self._active, (-waiting.info.priority, waiting.since, self._count, uid))
        self._news.set()

    def _retry(self, waiting: Waiting) -> None:
        self._parked.discard(waiting.info.uid)
        due = waiting.failed_at + _backoff(waiting.attempts)
        if due <= self._clock.monotonic():
            self._activate(waiting)
        else:
            self._delay(waiting, due)

    def _delay(self, waiting: Waiting, due: float) -> None:
        self._count += 1
        heapq.heappush(self._delayed, (due, self._count, waiting.info.uid))
        self._news.set()

    def _ripen(self) -> None:
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            due, _, uid = heapq.heappop(self._delayed)
            waiting = self._waiting.get(uid)
            if waiting is None or uid in self._queued:
                continue
            if uid in self._parked and due < waiting.failed_at + UNSCHEDULABLE_SECONDS:
                continue  # an earlier backoff of a pod that was parked since
            self._activate(waiting)

    async def _wait(self) -> None:
        self._news.clear()
        if not self._delayed:
            await self._news.wait()
            return
        news = asyncio.ensure_future(self._news.wait())
        timer = asyncio.ensure_future(self._clock.sleep(max(0.0, self._delayed[0][0] - self._clock.monotonic())))
        try:
            await asyncio.wait((news, timer), return_when=asyncio.FIRST_COMPLETED)
        finally:
            news.cancel()
            timer.cancel()


def _backoff(attempts: int) -> float:
    return min(INITIAL_BACKOFF * float(2 ** max(0, min(attempts, 10) - 1)), LONGEST_BACKOFF) if attempts else 0.0
