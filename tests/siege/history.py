"""What writers were told and what a watch saw, and whether the two can be the history of one cluster.

Every write carries a token of its own. An acknowledged create or update has a revision; a delete is known by the
revision it was bound to. A write without an answer (the kill came first) may have happened or not, but if it shows,
then once, whole, and in its place. The watch's log is the claim; everything else is checked against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

CREATE, UPDATE, DELETE = "ADDED", "MODIFIED", "DELETED"
ACKNOWLEDGED, REFUSED, UNKNOWN = "acknowledged", "refused", "unknown"


@dataclass
class Write:
    """One attempt. `base` is the revision an update or delete is bound to, `floor` the newest revision anybody had
    been told of when it began."""

    action: str
    key: str
    token: str
    base: int
    floor: int
    outcome: str = UNKNOWN
    revision: int = 0


@dataclass(frozen=True)
class Event:
    """One event of the watch; a deletion carries the token of what was deleted."""

    action: str
    key: str
    token: str
    revision: int


@dataclass(frozen=True)
class Snapshot:
    """A list after a restart: its revision, each key's token and revision, and the newest revision told before."""

    revision: int
    items: dict[str, tuple[str, int]]
    floor: int


@dataclass
class History:
    """All that happened, as clients saw it."""

    writes: list[Write] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)

    def faults(self) -> list[str]:
        """Everything that cannot be so; empty for a history that holds."""
        return [
            *_order(self.events),
            *_places(self.events, self.writes),
            *_acknowledged(self.events, self.writes),
            *_snapshots(self.events, self.snapshots),
        ]


def _order(events: Sequence[Event]) -> Iterable[str]:
    """The log goes forward only, and each key is there before it changes and gone before it comes."""
    last, alive = 0, set[str]()
    for event in events:
        if event.revision <= last:
            yield f"{event} comes after revision {last}"
        last = event.revision
        if (event.action == CREATE) == (event.key in alive):
            yield f"{event}, but the key was {'there' if event.key in alive else 'not there'}"
        (alive.discard if event.action == DELETE else alive.add)(event.key)


def _places(events: Sequence[Event], writes: Sequence[Write]) -> Iterable[str]:
    """Each event is one write that somebody attempted and nobody refused, on top of the revision it was bound to."""
    attempted = {write.token: write for write in writes if write.action != DELETE}
    deletes = _deletes(writes)
    seen: set[str] = set()
    current: dict[str, Event] = {}
    for event in events:
        before = current.get(event.key)
        base = before.revision if before else 0
        write = deletes.get((event.key, base)) if event.action == DELETE else attempted.get(event.token)
        if write is None or write.key != event.key or write.action != event.action:
            yield f"nobody asked for {event}"
            continue
        if write.outcome == REFUSED:
            yield f"{event} was refused: {write}"
        if write.base != base:
            yield f"{event} overwrote revision {base}: {write}"
        if event.revision <= write.floor:
            yield f"{event} is older than what was known when it began: {write}"
        if event.action == DELETE and before and before.token != event.token:
            yield f"{event} deleted another than {before}"
        if event.action != DELETE and event.token in seen:
            yield f"{event} happened twice"
        seen.add(event.token)
        current.pop(event.key, None) if event.action == DELETE else current.update({event.key: event})


def _deletes(writes: Sequence[Write]) -> dict[tuple[str, int], Write]:
    """The delete of each revision: of several attempts the one that was acknowledged, else one without an answer."""
    likely = (REFUSED, UNKNOWN, ACKNOWLEDGED)
    deletes = [write for write in writes if write.action == DELETE]
    return {(write.key, write.base): write for write in sorted(deletes, key=lambda each: likely.index(each.outcome))}


def _acknowledged(events: Sequence[Event], writes: Sequence[Write]) -> Iterable[str]:
    """Each acknowledged write is in the log, at the revision told."""
    by_revision = {event.revision: event for event in events}
    deleted: set[tuple[str, int]] = set()
    followers: dict[tuple[str, int], Event] = {}
    current: dict[str, int] = {}
    for event in events:
        followers[event.key, current.get(event.key, 0)] = event
        current[event.key] = event.revision
    for write in writes:
        if write.outcome != ACKNOWLEDGED:
            continue
        if write.action == DELETE:
            if (write.key, write.base) in deleted:
                yield f"{write} was acknowledged twice"
            deleted.add((write.key, write.base))
            next_ = followers.get((write.key, write.base))
            if next_ is None or next_.action != DELETE:
                yield f"{write} is lost: what follows is {next_}"
        elif by_revision.get(write.revision) != Event(write.action, write.key, write.token, write.revision):
            yield f"{write} is lost: there is {by_revision.get(write.revision)}"


def _snapshots(events: Sequence[Event], snapshots: Sequence[Snapshot]) -> Iterable[str]:
    """Each list is what the log makes of its revision, and is as new as anything told before."""
    last = 0
    for snapshot in snapshots:
        if snapshot.revision < max(last, snapshot.floor):
            yield f"a list is of revision {snapshot.revision}, but {max(last, snapshot.floor)} was known"
        last = snapshot.revision
        expected = _fold(event for event in events if event.revision <= snapshot.revision)
        for key in sorted({*expected, *snapshot.items}):
            if expected.get(key) != snapshot.items.get(key):
                found = f"{snapshot.items.get(key)}, watched: {expected.get(key)}"
                yield f"at revision {snapshot.revision} {key} is listed as {found}"


def _fold(events: Iterable[Event]) -> dict[str, tuple[str, int]]:
    state: dict[str, tuple[str, int]] = {}
    for event in events:
        if event.action == DELETE:
            state.pop(event.key, None)
        else:
            state[event.key] = (event.token, event.revision)
    return state
