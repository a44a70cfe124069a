"""Runs all controllers of this folder, each on its own, none able to end the others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable, Mapping

from tiphys.base.clock import Clock
from tiphys.base.discovery import discover
from tiphys.base.names import Ids
from tiphys.client.backoff import Backoff
from tiphys.client.client import Client
from tiphys.client.events import EventRecorder
from tiphys.client.informers import Informers
from tiphys.controllers.contract import Context, Controller, ControllerSpec

log = logging.getLogger(__name__)


def all_controllers() -> list[ControllerSpec]:
    """Every controller of the package, by file name."""
    return discover("tiphys.controllers", "CONTROLLER")


async def run_controllers(
    client: Client,
    clock: Clock,
    ids: Ids,
    *,
    minor: int,
    options: Mapping[str, object] | None = None,
    without: Collection[str] = (),
    specs: Iterable[ControllerSpec] | None = None,
    informers: Informers | None = None,
) -> None:
    """Run them until cancelled. `without` names controllers to leave out; `specs` replaces the discovered ones.

    `informers`, when given, are shared with others and must be running already; their handlers stay.
    """
    recorders: dict[str, EventRecorder] = {}

    def recorder(component: str) -> EventRecorder:
        return recorders.setdefault(component, EventRecorder(client, component, clock))

    shared = informers or Informers(client, clock)
    context = Context(client, shared, clock, ids, recorder, minor, options or {})
    chosen = [spec for spec in (all_controllers() if specs is None else specs) if spec.name not in without]
    built = [(spec.name, spec.build(context)) for spec in chosen]
    try:
        if informers is None:
            async with shared:
                await _run_all(built, clock)
        else:
            await _run_all(built, clock)
    finally:
        for each in recorders.values():
            await each.close()


async def _run_all(built: list[tuple[str, Controller]], clock: Clock) -> None:
    async with asyncio.TaskGroup() as group:
        for name, controller in built:
            group.create_task(_keep_running(name, controller, clock), name=f"controller {name}")


async def _keep_running(name: str, controller: Controller, clock: Clock) -> None:
    backoff = Backoff(clock)
    while True:
        try:
            await controller.run()
            return
        except Exception:
            log.exception("controller %s failed and starts over", name)
        await backoff.wait()
