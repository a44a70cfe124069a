"""Keeping events few: counting repeats, folding look-alikes together, dropping spam
(client-go `tools/record/events_cache.go`).
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tiphys.base.clock import Clock, rfc3339
from tiphys.base.document import Document

CACHE_SIZE = 4096
AGGREGATE_FROM = 10
"""This many events that differ only in message, within the interval, become one."""
AGGREGATE_SECONDS = 600.0
SPAM_BURST = 25
SPAM_REFILL = 1 / 300
"""Events a second that a source gets back for one object."""
COMBINED = "(combined from similar events): "

Value = TypeVar("Value")


class _Recent(Generic[Value]):
    """A map of the most recently used entries."""

    def __init__(self, size: int = CACHE_SIZE) -> None:
        self._entries: OrderedDict[tuple[str, ...], Value] = OrderedDict()
        self._size = size

    def get(self, key: tuple[str, ...]) -> Value | None:
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: tuple[str, ...], value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)


@dataclass(slots=True)
class _Similar:
    last: float
    messages: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class _Tokens:
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    first: str
    count: int


@dataclass(frozen=True, slots=True)
class Correlated:
    """What to write: `patch` for the event already there, else a new `event`. None of both: say nothing."""

    event: Document | None
    patch: Document | None = None


class EventCorrelator:
    """Sees every event of one component before it is written."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._similar: _Recent[_Similar] = _Recent()
        self._seen: _Recent[_Seen] = _Recent()
        self._spam: _Recent[_Tokens] = _Recent()

    def correlate(self, event: Document) -> Correlated:
        event, key = self._aggregate(event)
        event, patch = self._count(event, key)
        if not self._accept(_source_key(event)):
            return Correlated(None)
        return Correlated(event, patch)

    def written(self, event: Document) -> None:
        """The server's answer: the name and count that a repeat is to start from."""
        self._seen.put(_event_key(event), _Seen(event["metadata"]["name"], _first(event), event.get("count") or 1))

    def _aggregate(self, event: Document) -> tuple[Document, tuple[str, ...]]:
        now = self._clock.now()
        key = _aggregate_key(event)
        similar = self._similar.get(key)
        if similar is None or now - similar.last > AGGREGATE_SECONDS:
            similar = _Similar(now)
            self._similar.put(key, similar)
        similar.last = now
        similar.messages[event["message"]] = None
        if len(similar.messages) < AGGREGATE_FROM:
            return event, _event_key(event)
        similar.messages.pop(next(iter(similar.messages)))
        combined = {**event, "message": COMBINED + event["message"], "count": 1}
        combined["firstTimestamp"] = combined["lastTimestamp"] = rfc3339(now)
        combined["metadata"] = {field: event["metadata"][field] for field in ("name", "namespace")}
        return combined, key

    def _count(self, event: Document, key: tuple[str, ...]) -> tuple[Document, Document | None]:
        seen = self._seen.get(key)
        patch: Document | None = None
        if seen is not None:
            event = {**event, "count": seen.count + 1, "firstTimestamp": seen.first}
            event["metadata"] = {**event["metadata"], "name": seen.name}
            patch = {field: event[field] for field in ("count", "lastTimestamp", "message")}
        self._seen.put(key, _Seen(event["metadata"]["name"], _first(event), event["count"]))
        return event, patch

    def _accept(self, key: tuple[str, ...]) -> bool:
        now = self._clock.monotonic()
        tokens = self._spam.get(key)
        if tokens is None:
            tokens = _Tokens(SPAM_BURST, now)
            self._spam.put(key, tokens)
        tokens.left = min(SPAM_BURST, tokens.left + (now - tokens.at) * SPAM_REFILL)
        tokens.at = now
        if tokens.left < 1:
            return False
        tokens.left -= 1
        return True


def _first(event: Document) -> str:
    return str(event.get("firstTimestamp") or "")


def _object_key(event: Document) -> tuple[str, ...]:
    about, source = event["involvedObject"], event["source"]
    fields = ("kind", "namespace", "name", "uid", "apiVersion")
    return (source.get("component", ""), source.get("host", ""), *(about.get(field, "") for field in fields))


_source_key = _object_key


def _aggregate_key(event: Document) -> tuple[str, ...]:
    return (*_object_key(event), event["type"], event["reason"])


def _event_key(event: Document) -> tuple[str, ...]:
    about = event["involvedObject"].get("fieldPath", "")
    return (*_object_key(event), about, event["type"], event["reason"], event["message"])
