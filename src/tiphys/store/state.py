"""The durable state and its history, in memory: what every read and every watch is answered from.

Nothing here waits and nothing here writes. A change comes in only by `apply`, once it is durable, so whatever
can be read here may be acknowledged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from operator import attrgetter

from tiphys.store.bucket import Bucket, bucket_name, end_of
from tiphys.store.contract import Compacted, Event, FutureRevision, Page, Record

_revision = attrgetter("revision")
_key = attrgetter("key")


class State:
    """Buckets of records and events, and the two revisions between which history is known."""

    def __init__(self, compacted: int = 0) -> None:
        self.revision = compacted
        self.compacted = compacted
        self.history_bytes = 0
        self._buckets: defaultdict[str, Bucket] = defaultdict(Bucket)

    def get(self, key: str) -> Record | None:
        bucket = self._buckets.get(bucket_name(key))
        found: Record | None = bucket.records.get(key) if bucket else None
        return found

    def page(self, prefix: str, at: int | None, after: str, limit: int) -> Page:
        """See `Store.list`."""
        at = self.revision if at is None else self._known(at)
        low, high = max(prefix, after), end_of(prefix)
        records, total = [], 0
        buckets = self._below(prefix)
        for bucket in buckets:
            found, count = bucket.select(low, high, limit, at)
            records += found
            total += count
        if len(buckets) > 1:
            records.sort(key=_key)
        if limit:
            del records[limit:]
        return Page(records, at, total - len(records))

    def count(self, prefix: str) -> int:
        return sum(bucket.count(prefix, end_of(prefix)) for bucket in self._below(prefix))

    def since(self, prefix: str, after: int) -> list[Event]:
        """The events below the prefix newer than `after`, in order. Raises Compacted."""
        if after < self.compacted:
            raise Compacted(self.compacted)
        newer = [event for bucket in self._below(prefix) for event in bucket.since(after)]
        events = [event for event in newer if event.key.startswith(prefix)]
        events.sort(key=_revision)  # sorted already if there was one bucket, and then free
        return events

    def apply(self, event: Event) -> None:
        """Take in the next durable change."""
        self._buckets[bucket_name(event.key)].apply(event)
        self.history_bytes += _weight(event)
        self.revision = event.revision

    def obsolete(self, revision: int) -> list[int]:
        """Revisions of the rows that no history above `revision` and no present state needs, sorted."""
        found = []
        for bucket in self._buckets.values():
            for event in bucket.events:
                if event.revision > revision:
                    break
                found += _left_behind(event)
        return sorted(found)

    def forget(self, revision: int) -> None:
        """Drop history at or below `revision`."""
        for bucket in self._buckets.values():
            self.history_bytes -= sum(map(_weight, bucket.forget(revision)))
        self.compacted = revision

    def _known(self, at: int) -> int:
        if at > self.revision:
            raise FutureRevision(self.revision)
        if at < self.compacted:
            raise Compacted(self.compacted)
        return at

    def _below(self, prefix: str) -> list[Bucket]:
        if not prefix.endswith("/"):
            raise ValueError(f"a prefix ends in '/': {prefix!r}")
        name = bucket_name(prefix)
        if not name:
            return list(self._buckets.values())
        return [self._buckets[name]] if name in self._buckets else []


def _weight(event: Event) -> int:
    """Bytes that only this event keeps: what it replaced, and the final state of what it deleted."""
    kept: Iterable[Record | None] = (event.previous, event.last)
    return sum(len(record.value) for record in kept if record is not None)


def _left_behind(event: Event) -> list[int]:
    behind = [event.previous.revision] if event.previous else []
    return [*behind, event.revision] if event.record is None else behind
