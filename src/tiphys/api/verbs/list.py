"""list: joined out of stored bytes, in parts consistent to one version (apiserver `storage/etcd3/store.go`)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.api import answer, continue_token, resource_version
from tiphys.api.call import Call
from tiphys.api.list_options import EXACT, NOT_OLDER_THAN, ListOptions, read_list_options
from tiphys.api.selection import Selection, read_selection
from tiphys.base.document import Document
from tiphys.base.http import Response
from tiphys.base.status import bad_request, expired, too_large_version
from tiphys.store.contract import Compacted, FutureRevision, Page, Record

_LARGEST_PAGE = 10_000
_TOO_OLD = "The resourceVersion for the provided list is too old."


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list found, and the metadata it is answered with. `next` is the token for the rest, if any."""

    records: list[Record]
    revision: int
    next: str = ""
    remaining: int | None = None

    def metadata(self) -> Document:
        metadata: Document = {"resourceVersion": str(self.revision)}
        if self.next:
            metadata["continue"] = self.next
        if self.remaining is not None:
            metadata["remainingItemCount"] = self.remaining
        return metadata


async def handle(call: Call) -> Response:
    listed = await find(call, read_list_options(call.query, watch=False), read_selection(call))
    return answer.many(call, listed.records, listed.metadata())


def prefix_of(call: Call) -> str:
    """Where the objects are that the path is about."""
    return f"{call.resource.prefix}{call.namespace}/" if call.namespace else call.resource.prefix


async def find(call: Call, options: ListOptions, selection: Selection) -> Listed:
    """The objects selected. Raises StatusError 400, 410, 504."""
    prefix = prefix_of(call)
    at, after = _start(call, options, prefix)
    if selection.name and (call.namespace or not call.kind.namespaced):
        return await _find_one(call, at, selection)
    limit = 0 if options.resource_version == "0" else max(options.limit, 0)
    if not limit:
        page = await _page(call, prefix, at, after, 0, options)
        return Listed(selection.select(call.kind, page.records), page.revision)
    return await _find_part(call, options, selection, (prefix, at, after))


def _start(call: Call, options: ListOptions, prefix: str) -> tuple[int | None, str]:
    """The revision to list at, None for the latest, and the key to start behind (storage.ValidateListOptions)."""
    asked = options.resource_version
    if options.continue_:
        after, revision = continue_token.decode(options.continue_, prefix)
        if asked not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        return (revision if revision > 0 else None), after
    revision = resource_version.parse(asked)
    if options.match == EXACT or (not options.match and options.limit > 0 and revision > 0):
        return revision, ""
    if options.match in ("", NOT_OLDER_THAN):
        resource_version.at_least(revision, call.api.store.revision)
    return None, ""


async def _find_one(call: Call, at: int | None, selection: Selection) -> Listed:
    key = call.resource.key(call.namespace, selection.name)
    if at is None:
        revision = call.api.store.revision
        record = await call.api.store.get(key)
        found = [record] if record else []
        return Listed(selection.select(call.kind, found), max(revision, record.revision if record else 0))
    page = await _page(call, prefix_of(call), at, "", 0, ListOptions())
    found = [record for record in page.records if record.key == key]
    return Listed(selection.select(call.kind, found), page.revision)


async def _find_part(
    call: Call, options: ListOptions, selection: Selection, start: tuple[str, int | None, str]
) -> Listed:
    """Up to `limit` objects. Pages grow when a selection leaves out most of what is read."""
    prefix, at, after = start
    limit = size = options.limit
    found: list[Record] = []
    while True:
        page = await _page(call, prefix, at, after, size, options)
        at = page.revision
        for index, record in enumerate(page.records):
            if selection.everything or selection.matches(call.kind, record):
                found.append(record)
                left = len(page.records) - index - 1 + page.remaining
                if len(found) == limit and left:
                    token = continue_token.encode(record.key, prefix, at)
                    return Listed(found, at, token, left if selection.everything else None)
        if not page.remaining or not page.records:
            return Listed(found, at)
        after = page.records[-1].key
        size = min(size * 2, _LARGEST_PAGE)


async def _page(call: Call, prefix: str, at: int | None, after: str, limit: int, options: ListOptions) -> Page:
    try:
        return await call.api.store.list(prefix, at=at, after=after, limit=limit)
    except Compacted:
        if options.continue_:
            raise continue_token.ContinueExpired(
                continue_token.encode(after, prefix, continue_token.LATEST)
            ) from None
        raise expired(_TOO_OLD) from None
    except FutureRevision as error:
        raise too_large_version(at or 0, error.current) from None
