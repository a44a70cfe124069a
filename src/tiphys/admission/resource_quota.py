"""ResourceQuota: what a namespace uses stays within its quotas (apiserver `pkg/admission/plugin/resourcequota`).

All requests that wait on one namespace are charged together against running quotas, which are then written with
one compare-and-swap each. Whoever a lost write leaves undecided is charged anew against the quota as it is now,
so any number of concurrent creates take exactly what there is room for. What was charged for an object that then
could not be stored is given back by the quota controller.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from tiphys.admission.plugin import Base, ValidateOnly
from tiphys.admission.quota_charge import RunningQuota, charge, running_quota
from tiphys.api.admission import Attributes, Environment
from tiphys.base.document import Document
from tiphys.base.status import StatusError, internal_error
from tiphys.resource.quota.evaluator import Evaluator
from tiphys.resource.quota.registry import evaluator

_RETRIES = 3
_PATIENCE = 10.0
"""Seconds a request waits to be charged."""


@dataclass(slots=True, eq=False)
class _Waiter:
    attributes: Attributes
    evaluator: Evaluator
    decided: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def admit(self) -> None:
        if not self.decided.done():
            self.decided.set_result(None)

    def refuse(self, error: Exception) -> None:
        if not self.decided.done():
            self.decided.set_exception(error)


class ResourceQuota(ValidateOnly, Base):
    NAME = "ResourceQuota"

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self._waiting: dict[str, list[_Waiter]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}

    async def validate(self, attributes: Attributes) -> None:
        namespace = attributes.namespace
        if not namespace or (attributes.resource == "namespaces" and not attributes.group):
            return
        found = evaluator(attributes.group, attributes.resource)
        if found is None or not found.handles(
            attributes.operation, attributes.subresource, attributes.object, attributes.old
        ):
            return
        if await self._quotas(namespace):
            await self._evaluate(_Waiter(attributes, found))

    async def _quotas(self, namespace: str) -> list[Document]:
        found = await self.reader.list("", "resourcequotas", namespace)
        return sorted(found, key=lambda each: str(each["metadata"]["name"])) if found else []

    async def _evaluate(self, waiter: _Waiter) -> None:
        """Queue up, and be the one who sees to it that the queue is worked through.

        The work has its own task: a request that is given up must not take the others' batch with it.
        """
        namespace = waiter.attributes.namespace
        self._waiting.setdefault(namespace, []).append(waiter)
        if namespace not in self._workers:
            self._workers[namespace] = asyncio.create_task(self._work(namespace), name=f"quota of {namespace}")
        try:
            async with asyncio.timeout(_PATIENCE):
                await waiter.decided
        except TimeoutError:
            raise internal_error("resource quota evaluation timed out") from None

    async def _work(self, namespace: str) -> None:
        try:
            while batch := self._waiting.pop(namespace, None):
                await self._decide(namespace, batch)
        finally:
            del self._workers[namespace]

    async def _decide(self, namespace: str, batch: list[_Waiter]) -> None:
        """Every waiter of the batch has its answer when this returns."""
        try:
            quotas = [running_quota(each) for each in await self._quotas(namespace)]
            await self._charge_all(namespace, quotas, batch, _RETRIES)
        except Exception as error:  # whatever it is, the waiters get it, and the queue goes on
            for waiter in batch:
                waiter.refuse(error)
        except asyncio.CancelledError:
            for waiter in batch:
                waiter.decided.cancel()
            raise

    async def _charge_all(
        self, namespace: str, quotas: list[RunningQuota], batch: list[_Waiter], retries: int
    ) -> None:
        now = self.environment.clock.now()
        pending = [waiter for waiter in batch if not waiter.decided.done() and _charge(quotas, waiter, now)]
        if not pending:
            return
        lost: dict[str, Exception] = {}
        for quota in quotas:
            if quota.changed:
                await self._write(quota, lost)
        if not lost:
            for waiter in pending:
                waiter.admit()
        elif retries:
            again = [
                running_quota(each) for each in await self._quotas(namespace) if each["metadata"]["name"] in lost
            ]
            await self._charge_all(namespace, again, pending, retries - 1)
        else:
            for waiter in pending:
                waiter.refuse(list(lost.values())[-1])

    async def _write(self, quota: RunningQuota, lost: dict[str, Exception]) -> None:
        try:
            await self.environment.writer.replace_status("", "resourcequotas", quota.charged_document())
        except StatusError as error:
            lost[quota.name] = error


def _charge(quotas: list[RunningQuota], waiter: _Waiter, now: float) -> bool:
    """Charge one request to the running quotas; whether its answer still waits for them to be written."""
    try:
        charged = charge(quotas, waiter.attributes, waiter.evaluator, now)
    except Exception as error:
        waiter.refuse(error)
        return False
    if waiter.attributes.dry_run or not charged:
        waiter.admit()
        return False
    for quota in quotas:
        quota.used = charged.get(quota.name, quota.used)
    return True


PLUGIN = ResourceQuota
