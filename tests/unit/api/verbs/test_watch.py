"""watch (apiserver `handlers/watch.go`, `storage/cacher`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
import pytest
from tests.unit.api.world import CONFIG_MAPS, PODS, World, config_map, pod

from tiphys.base.document import Document

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


class Watcher:
    """Reads the events of a stream one at a time."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = stream
        self._events: list[Document] = []
        self.chunks: list[bytes] = []

    async def next(self) -> Document:
        while not self._events:
            chunk = await asyncio.wait_for(anext(self._stream), 2)
            self.chunks.append(chunk)
            assert chunk.endswith(b"\n")
            self._events = [orjson.loads(line) for line in chunk.splitlines()]
        return self._events.pop(0)

    async def brief(self) -> tuple[str, str, str]:
        """(type, name, resourceVersion) of the next event."""
        event = await self.next()
        metadata = event["object"]["metadata"]
        return event["type"], metadata.get("name", ""), metadata["resourceVersion"]

    async def ended(self) -> bool:
        return await asyncio.wait_for(anext(self._stream, None), 2) is None

    async def close(self) -> None:
        await self._stream.aclose()  # type: ignore[attr-defined]


async def _watch(world: World, path: str = CONFIG_MAPS, **query: str) -> Watcher:
    return Watcher(await world.watch(path, **query))


async def test_the_state_first_and_then_every_change(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map("a"))
    watcher = await _watch(world)
    assert await watcher.brief() == ("ADDED", "a", "1")
    await world.ok("POST", CONFIG_MAPS, config_map("b"))
    assert await watcher.brief() == ("ADDED", "b", "2")
    await world.ok("PUT", f"{CONFIG_MAPS}/b", config_map("b", data={"x": "y"}))
    event = await watcher.next()
    assert (event["type"], event["object"]["kind"], event["object"]["data"]) == ("MODIFIED", "ConfigMap", {"x": "y"})
    await world.ok("DELETE", f"{CONFIG_MAPS}/b")
    assert await watcher.brief() == ("DELETED", "b", "4")
    await watcher.close()


async def test_from_a_version_on(world: World) -> None:
    for name in ("a", "b", "c"):
        await world.ok("POST", CONFIG_MAPS, config_map(name))
    watcher = await _watch(world, resourceVersion="1")
    assert await watcher.brief() == ("ADDED", "b", "2")
    assert await watcher.brief() == ("ADDED", "c", "3")
    await watcher.close()


async def test_other_namespaces_are_not_told(world: World) -> None:
    watcher = await _watch(world)
    everywhere = await _watch(world, "/api/v1/configmaps")
    first = asyncio.ensure_future(everywhere.brief())
    second = asyncio.ensure_future(watcher.brief())
    await _settle()
    await world.ok("POST", "/api/v1/namespaces/other/configmaps", config_map("x"))
    assert await first == ("ADDED", "x", "1")
    await world.ok("POST", CONFIG_MAPS, config_map("y"))
    assert await second == ("ADDED", "y", "2")
    await watcher.close()
    await everywhere.close()


async def test_a_selection_is_entered_and_left(world: World) -> None:
    # cacheWatcher.convertToWatchEvent: the object that left is told as it was, at the version of the change
    watcher = await _watch(world, PODS, resourceVersion="1", labelSelector="app=web")
    await world.ok("POST", CONFIG_MAPS, config_map())
    await world.ok("POST", PODS, pod("a"))
    await world.ok("PUT", f"{PODS}/a", pod("a", {"app": "web"}))
    assert await watcher.brief() == ("ADDED", "a", "3")
    await world.ok("PUT", f"{PODS}/a", pod("a", {"app": "web", "x": "y"}))
    assert await watcher.brief() == ("MODIFIED", "a", "4")
    await world.ok("PUT", f"{PODS}/a", pod("a", {"app": "db"}))
    event = await watcher.next()
    assert (event["type"], event["object"]["metadata"]["resourceVersion"]) == ("DELETED", "5")
    assert event["object"]["metadata"]["labels"] == {"app": "web", "x": "y"}
    await world.ok("DELETE", f"{PODS}/a")
    await world.ok("POST", PODS, pod("b", {"app": "web"}))
    assert (await watcher.brief())[:2] == ("ADDED", "b")
    await world.ok("DELETE", f"{PODS}/b")
    assert (await watcher.brief())[:2] == ("DELETED", "b")
    await watcher.close()


@pytest.mark.parametrize("path", [f"{PODS}?watch", "/api/v1/watch/namespaces/default/pods/b", PODS])
async def test_one_object(world: World, path: str) -> None:
    await world.ok("POST", PODS, pod("a"))
    await world.ok("POST", PODS, pod("b"))
    selector = {} if "/watch/" in path else {"fieldSelector": "metadata.name=b"}
    watcher = await _watch(world, path.partition("?")[0], **selector)
    assert (await watcher.brief())[:2] == ("ADDED", "b")
    await world.ok("DELETE", f"{PODS}/a")
    await world.ok("DELETE", f"{PODS}/b")
    assert (await watcher.brief())[:2] == ("DELETED", "b")
    await watcher.close()


async def test_a_version_that_is_forgotten(world: World) -> None:
    # watch_cache_history.go: told in the stream, which then ends
    for name in ("a", "b", "c"):
        await world.ok("POST", CONFIG_MAPS, config_map(name))
    await world.store.compact(3)
    watcher = await _watch(world, resourceVersion="1")
    event = await watcher.next()
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")
    assert event["object"]["message"] == "too old resource version: 1 (3)"
    assert await watcher.ended()


async def test_the_state_as_a_stream(world: World) -> None:
    # KEP-3157: sendInitialEvents ends with an annotated bookmark
    await world.ok("POST", CONFIG_MAPS, config_map("a"))
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    watcher = await _watch(world, **query)
    assert await watcher.brief() == ("ADDED", "a", "1")
    event = await watcher.next()
    assert event == {
        "type": "BOOKMARK",
        "object": {
            "kind": "ConfigMap",
            "apiVersion": "v1",
            "metadata": {
                "resourceVersion": "1",
                "creationTimestamp": None,
                "annotations": {"k8s.io/initial-events-end": "true"},
            },
        },
    }
    await world.ok("POST", CONFIG_MAPS, config_map("b"))
    assert await watcher.brief() == ("ADDED", "b", "2")
    await watcher.close()
    watcher = await _watch(world, **query, resourceVersion="99")
    event = await watcher.next()
    assert event["object"]["message"] == "Timeout: Too large resource version: 99, current: 2"


async def test_no_initial_events(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map("a"))
    watcher = await _watch(world, sendInitialEvents="false", resourceVersionMatch="NotOlderThan")
    pending = asyncio.ensure_future(watcher.brief())
    await _settle()
    await world.ok("POST", CONFIG_MAPS, config_map("b"))
    assert await pending == ("ADDED", "b", "2")
    await watcher.close()


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            {"sendInitialEvents": "true"},
            "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
            "NotOlderThan",
        ),
        (
            {"resourceVersionMatch": "NotOlderThan"},
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents "
            "is provided",
        ),
    ],
)
async def test_options_that_do_not_go_together(world: World, query: dict[str, str], message: str) -> None:
    # meta/internalversion/validation validateWatchOptions
    status = await world.refused(422, "GET", CONFIG_MAPS, query={"watch": "1", **query})
    assert status["message"] == f'ListOptions.meta.k8s.io "" is invalid: {message}'


async def _settle() -> None:
    """Let the watcher run until it waits."""
    for _ in range(8):
        await asyncio.sleep(0)


async def _advance(world: World, seconds: float) -> None:
    """Move the clock once the watcher sleeps on it."""
    await _settle()
    world.clock.advance(seconds)


async def test_bookmarks_and_the_end(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map("a"))
    query = {"resourceVersion": "1", "allowWatchBookmarks": "true", "timeoutSeconds": "90"}
    watcher = await _watch(world, **query)
    pending = asyncio.ensure_future(watcher.brief())
    await world.ok("POST", PODS, pod("x"))
    await _advance(world, 60)
    assert await pending == ("BOOKMARK", "", "2")
    pending = asyncio.ensure_future(watcher.brief())
    await _advance(world, 28)
    assert await pending == ("BOOKMARK", "", "2")
    ended = asyncio.ensure_future(watcher.ended())
    await _advance(world, 2)
    assert await ended


async def test_no_bookmarks_unless_asked_for(world: World) -> None:
    watcher = await _watch(world, resourceVersion="1", timeoutSeconds="90")
    ended = asyncio.ensure_future(watcher.ended())
    await _advance(world, 60)
    await _settle()
    assert not ended.done()
    await _advance(world, 30)
    assert await ended


async def test_frames_are_made_once(world: World) -> None:
    watchers = [await _watch(world, resourceVersion="1") for _ in range(3)]
    await world.ok("POST", PODS, pod())
    await world.ok("POST", CONFIG_MAPS, config_map())
    for watcher in watchers:
        assert await watcher.brief() == ("ADDED", "one", "2")
    first, second, third = (watcher.chunks[0] for watcher in watchers)
    assert first == second == third
    watch = world.store.watch("/registry/configmaps/default/", after=1)
    (event,) = await anext(aiter(watch))
    assert len(event.frames) == 1
    watch.close()
    for watcher in watchers:
        await watcher.close()


async def test_tables(world: World) -> None:
    await world.ok("POST", PODS, pod("a"))
    response = await world.ask("GET", PODS, query="watch=1", headers={"accept": TABLE})
    assert not isinstance(response.body, bytes)
    watcher = Watcher(response.body)
    first = (await watcher.next())["object"]
    assert (first["kind"], len(first["columnDefinitions"]), first["rows"][0]["cells"]) == ("Table", 2, ["a", ""])
    await world.ok("POST", PODS, pod("b"))
    second = (await watcher.next())["object"]
    # newWatchEmbeddedEncoder: headers only with the first
    assert (second["columnDefinitions"], second["rows"][0]["cells"]) == (None, ["b", ""])
    await watcher.close()


async def test_metadata_only(world: World) -> None:
    await world.ok("POST", PODS, pod("a"))
    accept = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
    response = await world.ask("GET", PODS, query="watch=1", headers={"accept": accept})
    assert not isinstance(response.body, bytes)
    watcher = Watcher(response.body)
    found = (await watcher.next())["object"]
    assert (found["kind"], found["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert found.keys() == {"kind", "apiVersion", "metadata"}
    await watcher.close()


async def test_a_watch_in_yaml_is_not_to_be_had(world: World) -> None:
    status = await world.refused(406, "GET", PODS, query="watch=1", headers={"accept": "application/yaml"})
    assert "application/json;stream=watch" in status["message"]


async def test_another_version(world: World) -> None:
    bundles = "/apis/certificates.k8s.io/{}/clustertrustbundles"
    watcher = await _watch(world, bundles.format("v1beta1"))
    pending = asyncio.ensure_future(watcher.next())
    await _settle()
    await world.ok("POST", bundles.format("v1"), {"metadata": {"name": "a"}, "spec": {"trustBundle": "x"}})
    assert (await pending)["object"]["apiVersion"] == "certificates.k8s.io/v1beta1"
    await watcher.close()


async def test_closing_the_store_ends_watches(world: World) -> None:
    watcher = await _watch(world, resourceVersion="1")
    ended = asyncio.ensure_future(watcher.ended())
    await _settle()
    await world.store.close()
    assert await ended


async def test_a_watcher_that_leaves_leaves_nothing_behind(world: World) -> None:
    before = asyncio.all_tasks()
    watcher = await _watch(world, resourceVersion="1")
    waiting = asyncio.ensure_future(watcher.next())
    await _settle()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await watcher.close()
    assert asyncio.all_tasks() == before
