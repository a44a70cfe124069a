"""watch: changes as they come, as lines of JSON or frames of protobuf (apiserver `handlers/watch.go`)."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

from tiphys.api import resource_version
from tiphys.api.call import Call
from tiphys.api.frame import Framer
from tiphys.api.list_options import ListOptions, read_list_options
from tiphys.api.selection import Selection, read_selection
from tiphys.api.verbs.list import find, prefix_of
from tiphys.api.watch_stream import Ticks, WatchStream
from tiphys.base.http import JSON, PROTOBUF_WATCH, Response
from tiphys.base.status import StatusError, expired, too_large_version
from tiphys.store.contract import Compacted, Watch

_SHORTEST_TIMEOUT = 1800.0
"""Seconds; a watch that names no timeout ends at random between this and its double (--min-request-timeout)."""


async def handle(call: Call) -> Response:
    options = read_list_options(call.query, watch=True)
    selection = read_selection(call)
    after = resource_version.parse(options.resource_version)
    timeout = float(options.timeout or _SHORTEST_TIMEOUT * (1 + random.random()))
    framer = Framer(call)
    media_type = PROTOBUF_WATCH if call.shape.protobuf else JSON
    return Response(200, _stream(call, options, selection, framer, after, timeout), media_type)


async def _stream(
    call: Call, options: ListOptions, selection: Selection, framer: Framer, after: int, timeout: float
) -> AsyncIterator[bytes]:
    """What cannot be watched is told as an event, once the stream has begun."""
    try:
        initial, watch = await _open(call, options, selection, framer, after)
    except StatusError as error:
        yield framer.error(error)
        return
    ticks = Ticks(call.api.clock, timeout, options.bookmarks)
    stream = WatchStream(watch, ticks, framer, selection, call)
    try:
        if initial:
            yield initial
        async for chunk in stream:
            yield chunk
    finally:
        await stream.close()


async def _open(
    call: Call, options: ListOptions, selection: Selection, framer: Framer, after: int
) -> tuple[bytes, Watch]:
    """The current state first, if that is wanted, and the watch of what follows it. Raises StatusError 410, 504."""
    store, prefix = call.api.store, prefix_of(call)
    if options.initial_events is None or (not options.initial_events and after):
        return b"", _watch(call, prefix, after)
    if after > store.revision:
        raise too_large_version(after, store.revision)
    if not options.initial_events:
        return b"", _watch(call, prefix, store.revision)
    listed = await find(call, ListOptions(), selection)
    watch = _watch(call, prefix, listed.revision)
    frames = [framer.added(record) for record in listed.records]
    if options.bookmarks:
        frames.append(framer.bookmark(listed.revision, initial_end=True))
    return b"".join(frames), watch


def _watch(call: Call, prefix: str, after: int) -> Watch:
    try:
        return call.api.store.watch(prefix, after=after)
    except Compacted as error:
        raise expired(f"too old resource version: {after} ({error.floor})") from None
