"""One leader among equals, by a Lease that the leader keeps renewing (client-go `tools/leaderelection`)."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tiphys.base.clock import Clock, rfc3339_micro
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.retry import is_not_found

log = logging.getLogger(__name__)

_API = "coordination.k8s.io/v1"
JITTER = 1.2


@dataclass(frozen=True, slots=True)
class Election:
    """Which lease, and who stands for it. Durations in seconds; the defaults are upstream's for core clients.

    `lease_duration` is how long others wait after the last renewal they saw; `renew_deadline` how long the
    leader tries to renew before it steps down; `retry_period` lies between tries.
    """

    namespace: str
    name: str
    identity: str
    lease_duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0
    release_on_exit: bool = True

    def __post_init__(self) -> None:
        if self.lease_duration <= self.renew_deadline:
            raise ValueError("leaseDuration must be greater than renewDeadline")
        if self.renew_deadline <= JITTER * self.retry_period:
            raise ValueError("renewDeadline must be greater than retryPeriod*JitterFactor")


class LeaderElector:
    """`await elector.run(lead)`: stands for election, runs `lead` while leading, returns once that is over."""

    def __init__(self, client: Client, election: Election, clock: Clock) -> None:
        self._client = client
        self._election = election
        self._clock = clock
        self._observed: Document = {}
        self._observed_at = 0.0

    @property
    def leader(self) -> str:
        """Who was last seen to hold the lease; empty if nobody."""
        return self._observed.get("holderIdentity") or ""

    @property
    def is_leader(self) -> bool:
        return self.leader == self._election.identity

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait to become leader, then run `lead`; it is cancelled when the lease cannot be renewed in time."""
        await self._acquire()
        work = asyncio.ensure_future(lead())
        renewal = asyncio.ensure_future(self._renew())
        try:
            await asyncio.wait([work, renewal], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (work, renewal):
                task.cancel()
            results = await asyncio.gather(work, renewal, return_exceptions=True)
            if self._election.release_on_exit:
                await self._release()
        if isinstance(results[0], Exception):
            raise results[0]

    async def _acquire(self) -> None:
        while not await self._try():
            await self._clock.sleep(self._election.retry_period * (1 + random.random() * JITTER))

    async def _renew(self) -> None:
        """Returns when the deadline passes without a renewal."""
        last = self._clock.monotonic()
        while self._clock.monotonic() - last < self._election.renew_deadline:
            await self._clock.sleep(self._election.retry_period)
            if await self._try():
                last = self._clock.monotonic()
        log.warning("failed to renew lease %s/%s", self._election.namespace, self._election.name)

    async def _try(self) -> bool:
        try:
            return await self._try_acquire_or_renew()
        except (StatusError, OSError) as error:
            log.info("lease %s/%s: %s", self._election.namespace, self._election.name, error)
            return False

    async def _try_acquire_or_renew(self) -> bool:
        election = self._election
        try:
            lease = await self._client.get(_API, "leases", election.name, election.namespace)
        except StatusError as error:
            if not is_not_found(error):
                raise
            return self._observe(await self._create())
        if lease.get("spec", {}) != self._observed:
            self._observe(lease)
        held = self._clock.monotonic() < self._observed_at + election.lease_duration
        if self.leader and held and not self.is_leader:
            return False
        lease["spec"] = self._claim(lease.get("spec") or {})
        return self._observe(await self._client.update(_API, "leases", lease, election.namespace))

    async def _create(self) -> Document:
        election = self._election
        lease = {
            "apiVersion": _API,
            "kind": "Lease",
            "metadata": {"name": election.name, "namespace": election.namespace},
            "spec": self._claim(None),
        }
        return await self._client.create(_API, "leases", lease, election.namespace)

    def _claim(self, old: Document | None) -> Document:
        now = rfc3339_micro(self._clock.now())
        acquired, transitions = now, 0
        if old is not None:
            transitions = old.get("leaseTransitions") or 0
            if self.is_leader:
                acquired = old.get("acquireTime") or now
            else:
                transitions += 1
        return {
            "holderIdentity": self._election.identity,
            "leaseDurationSeconds": int(self._election.lease_duration),
            "acquireTime": acquired,
            "renewTime": now,
            "leaseTransitions": transitions,
        }

    def _observe(self, lease: Document) -> bool:
        self._observed = lease.get("spec") or {}
        self._observed_at = self._clock.monotonic()
        return True

    async def _release(self) -> None:
        if not self.is_leader:
            return
        try:
            lease = await self._client.get(_API, "leases", self._election.name, self._election.namespace)
            if lease["spec"].get("holderIdentity") != self._election.identity:
                return
            now = rfc3339_micro(self._clock.now())
            lease["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": now, "acquireTime": now}
            self._observe(await self._client.update(_API, "leases", lease, self._election.namespace))
        except (StatusError, OSError) as error:
            log.info("failed to release lease %s: %s", self._election.name, error)
