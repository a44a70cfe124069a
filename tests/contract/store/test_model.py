"""A store against the simplest model there is: a list of all changes. Hypothesis looks for a difference."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tiphys.store.contract import (
    Compacted,
    FutureRevision,
    KeyExists,
    KeyMissing,
    Record,
    RevisionMismatch,
    Store,
    Watch,
)
from tiphys.store.open import open_store

KEYS = [
    f"/registry/{rest}"
    for rest in ("pods/a/x", "pods/a/y", "pods/ab/x", "pods/b/x", "podsx/a/x", "apps/deployments/a/x", "nodes/n")
]
PREFIXES = ["/", "/registry/", "/registry/pods/", "/registry/pods/a/", "/registry/apps/", "/registry/none/"]
keys, prefixes = st.sampled_from(KEYS), st.sampled_from(PREFIXES)
bodies = st.binary(max_size=8).map(bytes.hex)
ago = st.integers(-2, 12)


def value(body: str, at: int | None = None) -> bytes:
    return b'{"metadata":{"resourceVersion":"%b"},"data":"%b"}' % (b"" if at is None else b"%d" % at, body.encode())


class Machine(RuleBasedStateMachine):
    scheme: str

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.changes: list[tuple[int, str, str | None]] = []  # (revision, key, body or None for deleted)
        self.watches: list[tuple[Watch, str, int]] = []
        self.compacted = 0
        self.store = self.make()

    def make(self) -> Store:
        if self.scheme == "memory":
            return open_store("memory://")
        return open_store(f"sqlite://{Path(self.directory.name)}/store.db")

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(coroutine)

    @property
    def revision(self) -> int:
        return len(self.changes)

    def state(self, at: int) -> dict[str, tuple[int, str]]:
        state: dict[str, tuple[int, str]] = {}
        for revision, key, body in self.changes[:at]:
            if body is None:
                del state[key]
            else:
                state[key] = (revision, body)
        return state

    @initialize()
    def open(self) -> None:
        self.run(self.store.open())

    @rule(key=keys, body=bodies)
    def create(self, key: str, body: str) -> None:
        try:
            record = self.run(self.store.create(key, value(body)))
        except KeyExists:
            assert key in self.state(self.revision)
        else:
            assert key not in self.state(self.revision)
            self.changed(record, key, body, body)

    @rule(key=keys, body=bodies, stale=st.booleans(), delete=st.booleans(), own=st.booleans())
    def replace(self, key: str, body: str, stale: bool, delete: bool, own: bool) -> None:
        held = self.state(self.revision).get(key)
        expected = (held[0] if held else 1) - stale
        if delete:
            write = self.store.delete(key, expected=expected, value=value(body) if own else None)
        else:
            write = self.store.update(key, value(body), expected=expected)
        try:
            record = self.run(write)
        except KeyMissing:
            assert held is None
        except RevisionMismatch as mismatch:
            assert held is not None and stale
            assert mismatch.current.revision == held[0]
        else:
            assert held is not None and not stale
            self.changed(record, key, None if delete else body, held[1] if delete and not own else body)

    def changed(self, record: Record, key: str, body: str | None, shown: str) -> None:
        revision = self.revision + 1
        self.changes.append((revision, key, body))
        assert (record.key, record.revision, record.value) == (key, revision, value(shown, revision))

    @rule(key=keys, body=bodies, count=st.integers(2, 6))
    def race(self, key: str, body: str, count: int) -> None:
        """Concurrent creates, and deletes of what they make: whatever wins, the revisions are a sequence."""

        async def storm() -> list[Any]:
            creates = [self.store.create(key, value(body)) for _ in range(count)]
            return await asyncio.gather(*creates, return_exceptions=True)

        free = key not in self.state(self.revision)
        results = self.run(storm())
        won = [result for result in results if isinstance(result, Record)]
        assert len(won) == free
        assert all(isinstance(result, Record | KeyExists) for result in results)
        for record in won:
            self.changed(record, key, body, body)

    @rule(prefix=prefixes, ago=ago, limit=st.integers(0, 3))
    def page_through(self, prefix: str, ago: int, limit: int) -> None:
        at = max(0, self.revision - ago)
        try:
            found = self.run(self.pages(prefix, at, limit))
        except FutureRevision as error:
            assert at > self.revision == error.current
        except Compacted as error:
            assert at < self.compacted == error.floor
        else:
            assert self.compacted <= at <= self.revision
            wanted = sorted((k, *held) for k, held in self.state(at).items() if k.startswith(prefix))
            assert found == [(k, revision, value(body, revision)) for k, revision, body in wanted]

    async def pages(self, prefix: str, at: int, limit: int) -> list[tuple[str, int, bytes]]:
        found: list[tuple[str, int, bytes]] = []
        while True:
            page = await self.store.list(prefix, at=at, after=found[-1][0] if found else "", limit=limit)
            assert page.revision == at
            found += [(record.key, record.revision, record.value) for record in page.records]
            if not page.remaining:
                return found
            assert len(page.records) == limit > 0

    @rule(prefix=prefixes, ago=ago)
    def watch(self, prefix: str, ago: int) -> None:
        after = max(0, self.revision - ago)
        try:
            self.watches.append((self.store.watch(prefix, after=after), prefix, after))
        except Compacted as error:
            assert after < self.compacted == error.floor

    @precondition(lambda self: self.watches)
    @rule(data=st.data())
    def read_watch(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(self.watches) - 1))
        watch, prefix, after = self.watches[number]
        wanted = [change for change in self.changes[after:] if change[1].startswith(prefix)]
        if wanted:
            assert watch.position == wanted[0][0] - 1
            batch = self.run(anext(aiter(watch)))
            assert [(event.revision, event.key) for event in batch] == [change[:2] for change in wanted]
            for event, (revision, key, body) in zip(batch, wanted, strict=True):
                held = self.state(revision - 1).get(key)
                assert (event.previous and event.previous.revision) == (held and held[0])
                shown = event.record if body is not None else event.last
                assert shown.revision == revision and (event.record is None) == (body is None)
        after = max(after, self.revision)
        assert watch.position == after
        self.watches[number] = (watch, prefix, after)

    @rule(ago=st.integers(0, 6))
    def compact(self, ago: int) -> None:
        revision = max(0, self.revision - ago)
        self.run(self.store.compact(revision))
        self.compacted = max(self.compacted, revision)

    @precondition(lambda self: self.scheme != "memory")
    @rule()
    def reopen(self) -> None:
        self.run(self.store.close())
        self.watches.clear()
        self.store = self.make()
        self.run(self.store.open())

    @invariant()
    def the_present(self) -> None:
        assert (self.store.revision, self.store.compacted) == (self.revision, self.compacted)
        state = self.state(self.revision)
        for prefix in PREFIXES:
            assert self.run(self.store.count(prefix)) == sum(key.startswith(prefix) for key in state)
        for key in KEYS:
            record = self.run(self.store.get(key))
            assert (record and (record.revision, record.value)) == (
                (state[key][0], value(state[key][1], state[key][0])) if key in state else None
            )

    def teardown(self) -> None:
        self.run(self.store.close())
        self.runner.close()
        self.directory.cleanup()


@pytest.mark.parametrize(("scheme", "examples"), [("memory", 40), ("sqlite", 15)])
def test_the_store_is_its_model(scheme: str, examples: int) -> None:
    machine = type("Machine", (Machine,), {"scheme": scheme})
    few = settings(
        max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
    )
    run_state_machine_as_test(machine, settings=few)
