"""`kill -9` in a storm of writes: every acknowledged write is there, and no revision goes back."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tiphys.store.contract import Event, Store
from tiphys.store.open import open_store

ROUNDS = 6
STORM = Path(__file__).with_name("storm.py")
SOURCE = Path(__file__).parents[3] / "src"


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{request.param}://{tmp_path}/store.db"


def storm_and_kill(url: str, acknowledgements: int) -> list[tuple[int, str, bool]]:
    """Let the storm write, kill it in the middle, and return all it said: (revision, key, deleted)."""
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen([sys.executable, STORM, url], stdout=subprocess.PIPE, env=environment) as victim:
        assert victim.stdout is not None
        lines = [victim.stdout.readline() for _ in range(acknowledgements)]
        victim.kill()
        lines += victim.stdout.readlines()
    assert all(line.endswith(b"\n") for line in lines), "the storm ended by itself"
    return [(int(revision), key, deleted == "1") for revision, key, deleted in (x.decode().split() for x in lines)]


Known = dict[str, tuple[int, bool]]
"""What must be so of each key, or be followed by a later write of it: the revision, and whether it is deleted."""


async def check(store: Store, known: Known, latest: int) -> None:
    assert store.revision >= latest
    for key, (revision, deleted) in known.items():
        found = await store.get(key)
        if found is not None and found.revision > revision:
            continue  # a later write whose answer the kill cut off
        if found is None and not deleted:
            later = [event for event in await history(store, key) if event.revision > revision]
            assert later and later[-1].record is None, f"{key} at {revision} is lost"
        else:
            assert (found is None) == deleted, f"{key}, deleted at {revision}, is back"
            assert found is None or found.revision == revision, f"{key} went back from {revision}"


async def learn(store: Store, known: Known) -> Known:
    """What a restart has shown must stay, answered or not; an unanswered deletion may be compacted from now on."""
    gone = dict.fromkeys(known, (store.revision, True))
    return gone | {record.key: (record.revision, False) for record in (await store.list("/registry/")).records}


async def history(store: Store, key: str) -> list[Event]:
    if store.revision == store.compacted:
        return []
    batch = await anext(aiter(store.watch("/registry/pods/", after=store.compacted)))
    assert [event.revision for event in batch] == list(range(store.compacted + 1, store.revision + 1))
    return [event for event in batch if event.key == key]


async def test_every_acknowledged_write_survives(url: str) -> None:
    known: Known = {}
    latest = 0
    chance = random.Random()
    for _ in range(ROUNDS):
        said = storm_and_kill(url, chance.randrange(50, 800))
        assert min(revision for revision, _, _ in said) > latest
        for revision, key, deleted in said:
            known[key] = max(known.get(key, (0, False)), (revision, deleted))
        store = open_store(url)
        await store.open()
        await check(store, known, max(revision for revision, _, _ in said))
        known, latest = await learn(store, known), store.revision
        await store.close()
