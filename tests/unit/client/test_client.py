"""The client over a transport that tells what it was asked, and in-process transport over a handler."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import orjson
import pytest

from tiphys.base.http import Request, Response
from tiphys.base.status import StatusError, not_found
from tiphys.base.user import User
from tiphys.client.client import Client, resource_path
from tiphys.client.discovery import preferred_resources
from tiphys.client.in_process import InProcessTransport, lines_of
from tiphys.client.retry import is_conflict, retry_on_conflict
from tiphys.client.transport import Reply


class Recorder:
    """Answers from a list; keeps what was asked."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Reply:
        self.asked.append((method, path, dict(query), orjson.loads(body) if body else None, content_type))
        status, answer = self.answers.pop(0)
        return Reply(status, answer if isinstance(answer, bytes) else orjson.dumps(answer))

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        self.asked.append((path, dict(query)))
        for line in self.answers:
            yield line

    async def close(self) -> None: ...


def test_paths() -> None:
    """apiserver `endpoints/request/requestinfo.go`, from the other side."""
    assert resource_path("v1", "pods", "default", "p", "status") == "/api/v1/namespaces/default/pods/p/status"
    assert resource_path("apps/v1", "deployments") == "/apis/apps/v1/deployments"
    assert resource_path("v1", "nodes", "", "n") == "/api/v1/nodes/n"


async def test_writes() -> None:
    transport = Recorder(*[(200, {"ok": True})] * 6)
    client = Client(transport)
    pod = {"metadata": {"name": "p"}}
    await client.create("v1", "pods", {"target": {}}, "ns", name="p", subresource="binding")
    await client.update_status("v1", "pods", pod, "ns")
    await client.patch("v1", "pods", "p", {"a": 1}, "ns", kind="strategic", subresource="status")
    await client.patch("v1", "pods", "p", [{"op": "remove", "path": "/a"}], "ns", kind="json")
    await client.delete("v1", "pods", "p", "ns", propagation="Orphan", grace_period=0, uid="u", resource_version="3")
    await client.delete("v1", "pods", "p", "ns")
    base = "/api/v1/namespaces/ns/pods/p"
    options = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Orphan",
        "gracePeriodSeconds": 0,
        "preconditions": {"uid": "u", "resourceVersion": "3"},
    }
    assert transport.asked == [
        ("POST", f"{base}/binding", {}, {"target": {}}, "application/json"),
        ("PUT", f"{base}/status", {}, pod, "application/json"),
        ("PATCH", f"{base}/status", {}, {"a": 1}, "application/strategic-merge-patch+json"),
        ("PATCH", base, {}, [{"op": "remove", "path": "/a"}], "application/json-patch+json"),
        ("DELETE", base, {}, options, "application/json"),
        ("DELETE", base, {}, None, ""),
    ]


async def test_errors_are_what_the_server_says() -> None:
    error = not_found("pods", "p")
    client = Client(Recorder((404, error.document()), (502, b"bad gateway"), (200, b"<html>")))
    with pytest.raises(StatusError) as found:
        await client.get("v1", "pods", "p", "ns")
    assert (found.value.code, found.value.reason, found.value.message) == (404, "NotFound", error.message)
    with pytest.raises(StatusError, match="bad gateway") as found:
        await client.get("v1", "pods", "p", "ns")
    assert found.value.code == 502
    with pytest.raises(StatusError, match="answered no JSON"):
        await client.get("v1", "pods", "p", "ns")


async def test_lists_are_whole_and_their_items_named() -> None:
    def page(name: str, token: str) -> Any:
        meta = {"resourceVersion": "7", **({"continue": token} if token else {})}
        return (
            200,
            {"kind": "PodList", "apiVersion": "v1", "metadata": meta, "items": [{"metadata": {"name": name}}]},
        )

    transport = Recorder(page("a", "next"), page("b", ""))
    found = await Client(transport).list_all("v1", "pods", label_selector="x=y", page=1)
    assert [item["metadata"]["name"] for item in found["items"]] == ["a", "b"]
    assert all(item["kind"] == "Pod" and item["apiVersion"] == "v1" for item in found["items"])
    assert transport.asked[1][2] == {"labelSelector": "x=y", "limit": "1", "continue": "next"}


async def test_watch_events_and_errors() -> None:
    gone = StatusError(410, "Expired", "too old").document()
    transport = Recorder(b'{"type":"ADDED","object":{"a":1}}', b"", orjson.dumps({"type": "ERROR", "object": gone}))
    seen = []
    with pytest.raises(StatusError) as error:
        async with aclosing(Client(transport).watch("v1", "pods", resource_version="5", timeout=9)) as events:
            async for event in events:
                seen.append(event)
    assert seen == [("ADDED", {"a": 1})] and error.value.code == 410
    query = {"watch": "1", "resourceVersion": "5", "allowWatchBookmarks": "true", "timeoutSeconds": "9"}
    assert transport.asked == [("/api/v1/pods", query)]


async def test_lines_from_any_chunks() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for chunk in (b"ab", b"c\nd", b"\n\nef\ng", b"h"):
            yield chunk

    assert [line async for line in lines_of(chunks())] == [b"abc", b"d", b"", b"ef", b"gh"]


async def test_in_process_passes_the_user_and_closes_the_stream() -> None:
    closed = []

    async def body() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b'{"type":"BOOKMARK","object":{}}\n'
        finally:
            closed.append(True)

    seen: list[Request] = []

    async def handler(request: Request) -> Response:
        seen.append(request)
        return Response(200, body())

    user = User("controller")
    client = Client(InProcessTransport(handler, user))
    async with aclosing(client.watch("v1", "pods", field_selector="spec.nodeName=n 1")) as events:
        async for kind, _ in events:
            assert kind == "BOOKMARK"
            break
    assert closed == [True]
    assert seen[0].user is user and "fieldSelector=spec.nodeName%3Dn+1" in seen[0].query


async def test_retry_on_conflict_reads_anew() -> None:
    class Clock:
        def now(self) -> float:
            return 0

        monotonic = now

        async def sleep(self, seconds: float) -> None:
            assert 0.01 <= seconds <= 0.011

    tries = []

    async def write() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise StatusError(409, "Conflict", "changed")
        return len(tries)

    assert await retry_on_conflict(write, Clock()) == 3

    async def never() -> None:
        tries.append(1)
        raise StatusError(409, "Conflict", "changed")

    tries.clear()
    with pytest.raises(StatusError) as error:
        await retry_on_conflict(never, Clock())
    assert is_conflict(error.value) and len(tries) == 5


async def test_preferred_resources() -> None:
    """discovery.ServerPreferredResources: each resource once, subresources left out, failures told."""

    def listed(*names: str) -> Any:
        entries = [{"name": name, "kind": "K", "namespaced": True, "verbs": ["get"]} for name in names]
        return (200, {"resources": entries})

    groups = {
        "groups": [
            {
                "name": "g",
                "preferredVersion": {"version": "v2"},
                "versions": [{"version": "v1"}, {"version": "v2"}],
            },
            {"name": "broken", "preferredVersion": {"version": "v1"}, "versions": [{"version": "v1"}]},
        ]
    }
    broken = (503, StatusError(503, "ServiceUnavailable", "away").document())
    transport = Recorder((200, groups), listed("pods", "pods/status"), listed("a"), listed("a", "b"), broken)
    served = await preferred_resources(Client(transport))
    assert [(each.api_version, each.plural) for each in served.resources] == [
        ("v1", "pods"),
        ("g/v2", "a"),
        ("g/v1", "b"),
    ]
    assert [(name, error.code) for name, error in served.failures] == [("broken/v1", 503)]
