"""Events of requests through the whole pipeline (apiserver `endpoints/filters/audit_test.go`)."""

from __future__ import annotations

import asyncio
import json
import os
import random
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tiphys.api.catalog import Catalog
from tiphys.api.discovery import Discovery
from tiphys.api.kind import Kind
from tiphys.auth.bearer_token import BearerToken
from tiphys.auth.masters import Masters
from tiphys.auth.token_file import TokenFile
from tiphys.base.clock import SystemClock
from tiphys.base.http import Handler, Request, Response
from tiphys.base.names import RandomIds
from tiphys.base.user import MASTERS, User
from tiphys.schema.definitions import Definitions
from tiphys.server.audit.audit import Auditor
from tiphys.server.audit.content import Reader
from tiphys.server.audit.log import AuditLog
from tiphys.server.audit.policy import Policy, Rule
from tiphys.server.pipeline import build_pipeline

DEFINITIONS = Definitions.load(37)
POD = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "namespace": "n", "managedFields": [{"a": 1}]}}
PODS = "/api/v1/namespaces/n/pods"


class Api:
    """Answers with a pod, streams, breaks down or hangs, as the name says."""

    def __init__(self) -> None:
        self.hanging = asyncio.Event()

    async def handle(self, request: Request, info: Any) -> Response:
        if info.name == "bug":
            raise KeyError("hunter2")
        if info.name == "slow":
            self.hanging.set()
            await asyncio.Event().wait()
        if info.verb == "watch":
            return Response(200, self._stream())
        return Response(201 if info.verb == "create" else 200, orjson.dumps(POD))

    async def _stream(self) -> AsyncIterator[bytes]:
        yield b"one"
        yield b"two"


class World:
    """A pipeline that is audited, and the events of it."""

    def __init__(self, path: Path, *rules: Rule) -> None:
        self.path = path
        self.log = AuditLog(str(path), Reader(DEFINITIONS))
        self.log.open()
        self.api = Api()
        tokens = BearerToken([TokenFile({"a": User("admin", (MASTERS,)), "j": User("joe", ("dev",))})])
        auditor = Auditor(Policy(rules), self.log, SystemClock(), RandomIds(random.Random(1)))
        catalog = Catalog(DEFINITIONS, [Kind(kind="Pod", plural="pods")])
        self.handler: Handler = build_pipeline(self.api, Discovery(catalog), tokens, Masters(), auditor=auditor)

    async def ask(self, method: str, path: str, body: Any = None, token: str = "a", **headers: str) -> Response:
        found = {"authorization": f"Bearer {token}", "user-agent": "test/1", **headers}
        path, _, query = path.partition("?")
        data = body if isinstance(body, bytes) else orjson.dumps(body) if body is not None else b""
        return await self.handler(Request(method, path, query, found, data, peer="10.0.0.9"))

    async def events(self) -> list[dict[str, Any]]:
        await self.log.close()
        return [json.loads(line) for line in self.path.read_text().splitlines()]


Make = Callable[..., World]


@pytest.fixture
def world(tmp_path: Path) -> Make:
    return lambda *rules: World(tmp_path / "audit.log", *rules)


async def test_an_event_of_a_create(world: Make) -> None:
    audited = world(Rule("RequestResponse"))
    sent = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}}
    await audited.ask("POST", f"{PODS}?fieldManager=me", sent, **{"x-forwarded-for": "1.2.3.4, junk"})
    received, complete = await audited.events()
    assert list(complete) == [
        "kind",
        "apiVersion",
        "level",
        "auditID",
        "stage",
        "requestURI",
        "verb",
        "user",
        "sourceIPs",
        "userAgent",
        "objectRef",
        "responseStatus",
        "requestObject",
        "responseObject",
        "requestReceivedTimestamp",
        "stageTimestamp",
        "annotations",
    ], "the order of upstream's fields"
    assert (received["stage"], complete["stage"]) == ("RequestReceived", "ResponseComplete")
    assert received["auditID"] == complete["auditID"]
    assert received["objectRef"] == {"resource": "pods", "namespace": "n", "apiVersion": "v1"}
    assert "responseStatus" not in received and "requestObject" not in received
    assert complete["objectRef"] == {"resource": "pods", "namespace": "n", "name": "p", "apiVersion": "v1"}
    assert complete["requestURI"] == f"{PODS}?fieldManager=me"
    assert complete["user"] == {"username": "admin", "groups": [MASTERS, "system:authenticated"]}
    assert complete["sourceIPs"] == ["1.2.3.4", "10.0.0.9"]
    assert (complete["verb"], complete["userAgent"]) == ("create", "test/1")
    assert complete["responseStatus"] == {"metadata": {}, "code": 201}
    assert complete["requestObject"] == sent and complete["responseObject"] == POD
    assert complete["annotations"] == {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""}


@pytest.mark.parametrize(
    ("level", "has"),
    [
        ("None", None),
        ("Metadata", set()),
        ("Request", {"requestObject"}),
        ("RequestResponse", {"requestObject", "responseObject"}),
    ],
)
async def test_bodies_are_told_by_level_alone(world: Make, level: str, has: set[str] | None) -> None:
    audited = world(Rule(level))
    await audited.ask("POST", PODS, {"metadata": {"name": "hunter2"}})
    events = await audited.events()
    if has is None:
        assert events == []
    else:
        assert {key for key in events[-1] if key.endswith("Object")} == has


async def test_a_watch_begins_and_ends(world: Make) -> None:
    audited = world(Rule("RequestResponse"))
    response = await audited.ask("GET", f"{PODS}?watch=1")
    assert isinstance(response.body, AsyncIterator)
    assert [chunk async for chunk in response.body] == [b"one", b"two"]
    stages = [(event["stage"], "responseObject" in event) for event in await audited.events()]
    assert stages == [("RequestReceived", False), ("ResponseStarted", False), ("ResponseComplete", False)]


async def test_a_watch_that_is_left_ends_too(world: Make) -> None:
    audited = world(Rule("Metadata"))
    response = await audited.ask("GET", f"{PODS}?watch=1")
    await response.body.aclose()  # type: ignore[union-attr]
    assert [event["stage"] for event in await audited.events()][-1] == "ResponseComplete"


async def test_who_is_refused_and_why(world: Make) -> None:
    audited = world(Rule("Metadata"))
    await audited.ask("GET", PODS, token="j")
    event = (await audited.events())[-1]
    status = event["responseStatus"]
    assert (status["code"], status["reason"], status["status"]) == (403, "Forbidden", "Failure")
    assert 'User "joe" cannot list resource "pods"' in status["message"]
    assert event["annotations"]["authorization.k8s.io/decision"] == "forbid"


async def test_credentials_that_are_none(world: Make) -> None:
    """WithFailedAuthenticationAudit: one event, at the beginning of the answer."""
    audited = world(Rule("Metadata"))
    await audited.ask("GET", PODS, token="nobody")
    (event,) = await audited.events()
    assert (event["stage"], event["user"], event["responseStatus"]["code"]) == ("ResponseStarted", {}, 401)
    assert event["responseStatus"]["message"] == "Authentication failed, attempted: bearer"
    assert "nobody" not in json.dumps(event)


async def test_impersonation_tells_both(world: Make) -> None:
    audited = world(Rule("Metadata"))
    await audited.ask("GET", PODS, **{"impersonate-user": "bob"})
    received, complete = await audited.events()
    assert "impersonatedUser" not in received
    assert complete["user"]["username"] == "admin"
    assert complete["impersonatedUser"] == {"username": "bob", "groups": ["system:authenticated"]}


async def test_a_bug_is_a_panic_without_its_words(world: Make) -> None:
    audited = world(Rule("RequestResponse"))
    assert (await audited.ask("GET", f"{PODS}/bug")).status == 500
    event = (await audited.events())[-1]
    assert (event["stage"], event["responseStatus"]["code"]) == ("Panic", 500)
    assert "hunter2" not in json.dumps(event)


async def test_a_client_that_leaves(world: Make) -> None:
    audited = world(Rule("Metadata"))
    asking = asyncio.create_task(audited.ask("GET", f"{PODS}/slow"))
    await audited.api.hanging.wait()
    asking.cancel()
    await asyncio.wait([asking])
    event = (await audited.events())[-1]
    assert event["responseStatus"]["message"] == "Connection closed early"


async def test_stages_may_be_omitted(world: Make) -> None:
    audited = world(Rule("Metadata", omit_stages=frozenset({"RequestReceived", "ResponseStarted"})))
    await audited.ask("GET", f"{PODS}?watch=1")
    await audited.ask("GET", PODS)
    assert [event["stage"] for event in await audited.events()] == ["ResponseComplete"]


async def test_managed_fields_may_be_omitted(world: Make) -> None:
    audited = world(Rule("RequestResponse", omit_managed_fields=True))
    await audited.ask("PUT", f"{PODS}/p", POD)
    event = (await audited.events())[-1]
    assert "managedFields" not in event["requestObject"]["metadata"]
    assert "managedFields" not in event["responseObject"]["metadata"]


@pytest.mark.parametrize(
    ("body", "media_type", "shown"),
    [
        (b"metadata: {name: p}\n", "application/yaml", {"metadata": {"name": "p"}}),
        (b"{", "application/json", None),
        (b"k8s\0\xff", "application/vnd.kubernetes.protobuf", None),
        (b"\xff\xfe", "application/yaml", None),
    ],
)
async def test_bodies_of_every_kind(world: Make, body: bytes, media_type: str, shown: Any) -> None:
    audited = world(Rule("Request"))
    await audited.ask("POST", PODS, body, **{"content-type": media_type})
    assert (await audited.events())[-1].get("requestObject") == shown


async def test_a_patch_is_told_as_it_is(world: Make) -> None:
    audited = world(Rule("Request"))
    patch = [{"op": "remove", "path": "/metadata/name"}]
    await audited.ask("PATCH", f"{PODS}/p", patch, **{"content-type": "application/json-patch+json"})
    event = (await audited.events())[-1]
    assert event["requestObject"] == patch and event["objectRef"]["name"] == "p"


async def test_the_id_is_the_clients_or_ours(world: Make) -> None:
    audited = world(Rule("Metadata"))
    request = Request("GET", PODS, "", {"authorization": "Bearer a", "audit-id": "mine"})
    await audited.handler(request)
    assert request.audit_id == "mine"
    other = Request("GET", PODS, "", {"authorization": "Bearer a"})
    await audited.handler(other)
    assert [event["auditID"] for event in await audited.events()] == ["mine"] * 2 + [other.audit_id] * 2


async def test_nothing_is_lost_on_a_clean_stop(world: Make) -> None:
    audited = world(Rule("Metadata", omit_stages=frozenset({"RequestReceived"})))
    wanted: list[Awaitable[Response]] = [audited.ask("GET", f"{PODS}/{number}") for number in range(2000)]
    await asyncio.gather(*wanted)
    names = [event["objectRef"]["name"] for event in await audited.events()]
    assert names == [str(number) for number in range(2000)]
    assert stat.S_IMODE(audited.path.stat().st_mode) == 0o600


async def test_a_disk_that_refuses_is_told(world: Make, caplog: pytest.LogCaptureFixture) -> None:
    audited = world(Rule("Metadata"))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, audited.log._descriptor)
    os.close(full)
    assert (await audited.ask("GET", PODS)).status == 200
    await audited.log.close()
    assert "No space left on device; " in caplog.text and "events are lost" in caplog.text
