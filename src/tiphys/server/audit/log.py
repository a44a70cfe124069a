"""The audit log's file: events are put in a queue without waiting, and written by a thread, a JSON object a line.

Nothing is lost on a clean stop. What the disk refuses is told to the server's log and lost, as upstream loses it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

import orjson

from tiphys.server.audit.content import Reader
from tiphys.server.audit.event import Entry

log = logging.getLogger(__name__)
STDOUT = "-"
_AT_ONCE = 512


class AuditLog:
    """Open from `open` to `close`."""

    def __init__(self, path: str, reader: Reader) -> None:
        self._path = path
        self._reader = reader
        self._queue: SimpleQueue[Entry | None] = SimpleQueue()
        self._descriptor = -1
        self._thread = threading.Thread(target=self._run, name="audit log", daemon=True)

    def open(self) -> None:
        """For appending, for the owner alone. Raises OSError."""
        if self._path == STDOUT:
            self._descriptor = os.dup(sys.stdout.fileno())
        else:
            path = Path(self._path)
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._thread.start()

    def put(self, entry: Entry) -> None:
        """Never waits."""
        self._queue.put(entry)

    async def close(self) -> None:
        """Write what is left, then close the file."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)
        os.close(self._descriptor)

    def _run(self) -> None:
        closing = False
        while not closing:
            entries = list(self._next())
            closing = entries[-1] is None
            lines = b"".join(self._line(entry) for entry in entries if entry is not None)
            try:
                _write(self._descriptor, lines)
            except OSError as error:
                log.error("audit log %s: %s; %d events are lost", self._path, error.strerror, len(entries))

    def _next(self) -> Iterator[Entry | None]:
        """The next entry, waiting for it, and what else is there, up to the mark of the end."""
        entry = self._queue.get()
        yield entry
        for _ in range(_AT_ONCE):
            if entry is None:
                return
            try:
                entry = self._queue.get_nowait()
            except Empty:
                return
            yield entry

    def _line(self, entry: Entry) -> bytes:
        try:
            return orjson.dumps(entry.document(self._reader), option=orjson.OPT_APPEND_NEWLINE)
        except Exception:
            # One event that cannot be written must not end the log.
            log.exception("an audit event is lost")
            return b""


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
