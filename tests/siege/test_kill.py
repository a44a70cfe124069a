"""`kill -9` of the server in a storm of writes, fifty times: every acknowledged write is there after the restart, no
revision goes backwards, and a watch goes on from where it was without a gap or a false event.

The seed is printed; TIPHYS_SEED=<seed> makes the same choices again. TIPHYS_KILLS sets the number of rounds.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.conftest import RunningCluster, TiphysCommand
from tests.siege.history import Event
from tests.siege.storm import Storm, admin

ROUNDS = int(os.environ.get("TIPHYS_KILLS", "50"))
WRITERS = 8
NAME = "siege"


@pytest.fixture
def command(tmp_path: Path) -> Iterator[TiphysCommand]:
    command = TiphysCommand(tmp_path)
    yield command
    command("down", "--name", NAME, "--purge")


def up(command: TiphysCommand) -> RunningCluster:
    return RunningCluster(command, NAME, json.loads(command("up", "--name", NAME, "--output", "json").stdout))


def kill(cluster: RunningCluster) -> None:
    """SIGKILL to the server's process; returns when it is gone."""
    process = os.pidfd_open(int((cluster.pki.parent / "lock").read_text()))
    signal.pidfd_send_signal(process, signal.SIGKILL)
    poll = select.poll()
    poll.register(process, select.POLLIN)
    assert poll.poll(10_000), "the killed server does not end"
    os.close(process)


async def until_killed(storm: Storm, cluster: RunningCluster, chance: random.Random) -> None:
    """One round: writers and a watch at work, and the kill in the middle of it."""
    async with asyncio.TaskGroup() as clients:
        clients.create_task(storm.watch())
        for number in range(WRITERS):
            clients.create_task(storm.writer(number, random.Random(chance.random())))
        async with asyncio.timeout(30):
            await storm.acknowledgements(chance.randrange(5, 150))
        await asyncio.sleep(chance.random() * 0.01)  # between two answers as well as within one
        kill(cluster)


async def catch_up(storm: Storm, beginning: int) -> list[Event]:
    """Let the watch come to where the last list was, and have the whole log again by a watch that begins where the
    first one did. What does not come within half a minute is left for the checker to miss."""
    items = storm.history.snapshots[-1].items
    watching = asyncio.create_task(storm.watch())
    again: list[Event] = []
    try:
        async with asyncio.timeout(30):
            await storm.watched(max((revision for _, revision in items.values()), default=0))
            await replay(storm, beginning, again)
    except TimeoutError:
        pass
    watching.cancel()
    return again


async def replay(storm: Storm, after: int, into: list[Event]) -> None:
    async for event, _ in storm.events(after):
        if event:
            into.append(event)
        if len(into) >= len(storm.history.events):
            return


async def test_nothing_acknowledged_is_lost(command: TiphysCommand) -> None:
    seed = int(os.environ.get("TIPHYS_SEED") or random.SystemRandom().randrange(2**32))
    print(f"TIPHYS_SEED={seed}")
    chance = random.Random(seed)
    command("up", "--name", NAME, "--simulate", "0")
    command("down", "--name", NAME)
    cluster = await asyncio.to_thread(up, command)
    storm = Storm(cluster.server, admin(cluster))
    await storm.prepare()
    beginning = storm.seen
    for _ in range(ROUNDS):
        await until_killed(storm, cluster, chance)
        server, cluster = cluster.server, await asyncio.to_thread(up, command)
        assert cluster.server == server
        await storm.snapshot()
    again = await catch_up(storm, beginning)
    faults = storm.history.faults()
    assert not faults, f"TIPHYS_SEED={seed}: {len(faults)} faults:\n" + "\n".join(faults[:20])
    assert again == storm.history.events
    assert storm.acknowledged > 10 * ROUNDS
