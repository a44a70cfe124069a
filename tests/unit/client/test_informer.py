"""The informer: list and watch, resuming, relisting, indexes (client-go `tools/cache`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.informer import Informer
from tiphys.client.informers import Informers
from tiphys.client.transport import Reply


def pod(name: str, version: int, uid: str = "", **labels: str) -> Document:
    meta = {"name": name, "namespace": "ns", "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**meta, "labels": labels}, "spec": {"big": "x"}}


class Script:
    """A server that lists what it is given and plays watches one after the other; the last stays open."""

    def __init__(self, *lists: tuple[int, list[Document]]) -> None:
        self.lists = list(lists)
        self.watches: list[list[Any]] = []
        self.queries: list[dict[str, str]] = []
        self.listed = 0
        self.idle = asyncio.Event()
        self.refusal: StatusError | None = None

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Reply:
        if self.refusal is not None:
            error, self.refusal = self.refusal, None
            return Reply(error.code, orjson.dumps(error.document()))
        version, items = self.lists[min(self.listed, len(self.lists) - 1)]
        self.listed += 1
        meta = {"resourceVersion": str(version)}
        return Reply(200, orjson.dumps({"kind": "PodList", "metadata": meta, "items": items}))

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        self.queries.append(dict(query))
        if not self.watches:
            self.idle.set()
            await asyncio.Event().wait()
        for event in self.watches.pop(0):
            if isinstance(event, BaseException):
                raise event
            yield orjson.dumps({"type": event[0], "object": event[1]})

    async def close(self) -> None: ...


class Quick:
    """A clock that does not wait; remembers how long it should have."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)


class Heard:
    """What an informer's handlers were told."""

    def __init__(self, informer: Informer) -> None:
        self.told: list[tuple[str, ...]] = []
        informer.add_handlers(
            lambda new: self.told.append(("add", new["metadata"]["name"], new["metadata"]["resourceVersion"])),
            lambda old, new: self.told.append(
                ("update", old["metadata"]["resourceVersion"], new["metadata"]["resourceVersion"])
            ),
            lambda last: self.told.append(("delete", last["metadata"]["name"], last["metadata"]["resourceVersion"])),
        )


@asynccontextmanager
async def running(script: Script, **options: Any) -> AsyncIterator[Informer]:
    informer = Informer(Client(script), "v1", "pods", clock=Quick(), **options)
    task = asyncio.create_task(informer.run())
    try:
        yield informer
        if task.done():
            task.result()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_lists_then_follows() -> None:
    script = Script((5, [pod("a", 3)]))
    script.watches = [[("ADDED", pod("b", 6)), ("MODIFIED", pod("a", 7)), ("DELETED", pod("b", 8))]]
    async with running(script) as informer:
        heard = Heard(informer)
        await informer.synced()
        await script.idle.wait()
        assert heard.told == [("add", "a", "3"), ("add", "b", "6"), ("update", "3", "7"), ("delete", "b", "8")]
        assert list(informer.items) == ["ns/a"] and informer.get("ns", "a") == pod("a", 7)
        assert script.queries[0]["resourceVersion"] == "5"
        assert script.queries[1]["resourceVersion"] == "8"
        assert script.listed == 1


async def test_bookmarks_move_the_version_and_tell_nobody() -> None:
    script = Script((5, []))
    script.watches = [[("BOOKMARK", {"metadata": {"resourceVersion": "900"}})]]
    async with running(script) as informer:
        heard = Heard(informer)
        await script.idle.wait()
        assert heard.told == [] and informer.items == {}
        assert script.queries[1]["resourceVersion"] == "900"


async def test_an_expired_version_is_listed_anew_and_the_difference_told() -> None:
    script = Script((5, [pod("a", 3), pod("b", 4)]), (20, [pod("b", 4), pod("c", 15)]))
    script.watches = [[("MODIFIED", pod("a", 6)), StatusError(410, "Expired", "too old")]]
    async with running(script) as informer:
        heard = Heard(informer)
        await script.idle.wait()
        assert script.listed == 2
        assert heard.told[-2:] == [("delete", "a", "6"), ("add", "c", "15")]
        assert script.queries[-1]["resourceVersion"] == "20"


async def test_an_object_made_again_is_told_as_deleted_and_added() -> None:
    script = Script((5, [pod("a", 3, "first")]), (20, [pod("a", 15, "second")]))
    script.watches = [[StatusError(410, "Expired", "too old")]]
    async with running(script) as informer:
        heard = Heard(informer)
        await script.idle.wait()
        assert heard.told == [("add", "a", "3"), ("delete", "a", "3"), ("add", "a", "15")]


async def test_a_broken_connection_is_resumed_without_a_list() -> None:
    script = Script((5, []))
    script.watches = [[("ADDED", pod("a", 6)), ConnectionError("gone")], []]
    async with running(script) as informer:
        await script.idle.wait()
        assert script.listed == 1 and "ns/a" in informer.items
        assert [query["resourceVersion"] for query in script.queries] == ["5", "6", "6"]


async def test_failures_wait_longer_each_time() -> None:
    """0.8 s doubling, jittered up to twice (reflector's backoff)."""
    script = Script((5, []))
    script.watches = [[ConnectionError("gone")] for _ in range(4)]
    clock = Quick()
    informer = Informer(Client(script), "v1", "pods", clock=clock)
    task = asyncio.create_task(informer.run())
    await script.idle.wait()
    task.cancel()
    for waited, least in zip(clock.waited, (0.8, 1.6, 3.2, 6.4), strict=True):
        assert least <= waited <= 2 * least


async def test_a_refused_list_is_tried_again() -> None:
    script = Script((5, [pod("a", 3)]))
    script.refusal = StatusError(503, "ServiceUnavailable", "starting")
    async with running(script) as informer:
        await informer.synced()
        assert "ns/a" in informer.items


async def test_a_failing_handler_harms_nobody() -> None:
    script = Script((5, [pod("a", 3)]))

    def fail(document: Document) -> None:
        raise ValueError("broken")

    async with running(script) as informer:
        informer.add_handlers(fail)
        heard = Heard(informer)
        await script.idle.wait()
        assert heard.told == [("add", "a", "3")]


async def test_a_late_handler_hears_of_what_is_there() -> None:
    script = Script((5, [pod("a", 3)]))
    async with running(script) as informer:
        await informer.synced()
        assert Heard(informer).told == [("add", "a", "3")]


async def test_indexes_follow_changes() -> None:
    script = Script((5, [pod("a", 3, app="x")]))
    script.watches = [
        [("ADDED", pod("b", 6, app="x")), ("MODIFIED", pod("a", 7, app="y")), ("DELETED", pod("b", 8, app="x"))]
    ]
    async with running(script) as informer:
        informer.add_index("app", lambda document: document["metadata"]["labels"].values())
        seen = []
        informer.add_handlers(update=lambda old, new: seen.append(sorted(informer.indexed("app", "x"))))
        await script.idle.wait()
        assert seen == [["ns/b"]]
        assert dict(informer.indexed("app", "x")) == {} and list(informer.indexed("app", "y")) == ["ns/a"]
        informer.add_index("kind", lambda document: (document["kind"],))
        assert list(informer.indexed("kind", "Pod")) == ["ns/a"]


async def test_informers_are_shared_and_slim_ones_keep_little() -> None:
    script = Script((5, [pod("a", 3)]))
    async with Informers(Client(script), Quick()) as informers:
        slim = informers.metadata_of("v1", "services")
        assert informers.of("v1", "pods") is informers.of("v1", "pods")
        assert informers.metadata_of("v1", "pods") is informers.of("v1", "pods")
        await informers.synced()
        assert "spec" not in slim.items["ns/a"] and slim.items["ns/a"]["metadata"]["uid"] == "uid-a"
        assert informers.of("v1", "pods").items["ns/a"]["spec"] == {"big": "x"}
