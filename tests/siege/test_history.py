"""The checker of histories finds what a cluster must not do. Expectations are ours."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from tests.siege.history import (
    ACKNOWLEDGED,
    CREATE,
    DELETE,
    REFUSED,
    UNKNOWN,
    UPDATE,
    Event,
    History,
    Snapshot,
    Write,
)


def truthful() -> History:
    """Two keys: one created, updated, deleted and created anew without an answer; one only created."""
    return History(
        writes=[
            Write(CREATE, "a", "a1", 0, 0, ACKNOWLEDGED, 5),
            Write(CREATE, "b", "b1", 0, 0, ACKNOWLEDGED, 6),
            Write(UPDATE, "a", "a2", 5, 6, ACKNOWLEDGED, 7),
            Write(UPDATE, "a", "a3", 5, 6, REFUSED),
            Write(DELETE, "a", "", 7, 7, ACKNOWLEDGED),
            Write(DELETE, "a", "", 7, 7, REFUSED),
            Write(CREATE, "a", "a4", 0, 7, UNKNOWN),
            Write(UPDATE, "b", "b2", 6, 7, UNKNOWN),
        ],
        events=[
            Event(CREATE, "a", "a1", 5),
            Event(CREATE, "b", "b1", 6),
            Event(UPDATE, "a", "a2", 7),
            Event(DELETE, "a", "a2", 8),
            Event(CREATE, "a", "a4", 9),
        ],
        snapshots=[
            Snapshot(7, {"a": ("a2", 7), "b": ("b1", 6)}, 7),
            Snapshot(9, {"a": ("a4", 9), "b": ("b1", 6)}, 7),
        ],
    )


def test_a_history_that_holds() -> None:
    assert truthful().faults() == []


def _replace(index: int, event: Event) -> Callable[[History], None]:
    return lambda history: history.events.__setitem__(index, event)


LIES: dict[str, Callable[[History], None]] = {
    "an acknowledged write is missing from the watch": lambda h: h.events.pop(1),
    "an acknowledged delete is missing from the watch": lambda h: h.events.pop(3),
    "an event comes twice": lambda h: h.events.insert(2, h.events[1]),
    "events come in another order": lambda h: h.events.reverse(),
    "a revision is used twice": _replace(4, Event(CREATE, "a", "a4", 8)),
    "an event nobody asked for": lambda h: h.events.append(Event(UPDATE, "b", "b9", 12)),
    "a refused write happened": lambda h: h.events.insert(3, Event(UPDATE, "a", "a3", 8)),
    "an update of another revision than it was bound to": lambda h: h.writes[2].__setattr__("base", 4),
    "a write older than what was known": lambda h: h.writes[6].__setattr__("floor", 10),
    "a delete acknowledged twice": lambda h: h.writes[5].__setattr__("outcome", ACKNOWLEDGED),
    "an acknowledgement of another revision": lambda h: h.writes[2].__setattr__("revision", 8),
    "another content than acknowledged": _replace(2, Event(UPDATE, "a", "a1", 7)),
    "a delete of something that is not there": lambda h: h.events.append(Event(DELETE, "c", "", 12)),
    "a list without an acknowledged write": lambda h: h.snapshots[1].items.pop("b"),
    "a list with what was deleted": lambda h: h.snapshots[1].items.update(c=("c", 3)),
    "a list from before what was told": lambda h: h.snapshots.__setitem__(1, Snapshot(6, {}, 7)),
    "a list older than the list before": lambda h: h.snapshots.__setitem__(1, Snapshot(6, {}, 0)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(lie: str) -> None:
    history = copy.deepcopy(truthful())
    LIES[lie](history)
    assert history.faults() != []
