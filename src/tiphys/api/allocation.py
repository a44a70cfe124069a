"""Values that must be unique among all objects of a kind, given out while nobody else writes that kind."""

from __future__ import annotations

import asyncio

from tiphys.api.call import Call
from tiphys.api.options import WriteOptions
from tiphys.base.document import Document
from tiphys.base.status import invalid


class Allocation:
    """One lock for each kind that allocates."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def turn(self, call: Call) -> asyncio.Lock:
        """Hold this around allocating and storing."""
        return self._locks.setdefault(call.kind.resource, asyncio.Lock())


async def allocate(call: Call, options: WriteOptions, new: Document, old: Document | None) -> None:
    """Raises StatusError 422 for a value asked for that cannot be had."""
    kind = call.kind
    if kind.allocate is None:
        return
    others = await call.api.reader.list(kind.group, kind.plural)
    if errors := kind.allocate(new, old, others, call.context(options)):
        raise invalid(kind.group, kind.kind, new["metadata"].get("name") or "", errors)
