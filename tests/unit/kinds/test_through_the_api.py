"""The built-in kinds behind the real verbs: what only shows when both meet (ours)."""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator

import pytest
from tests.unit.api.world import RecordingAdmission, StillClock, World

from tiphys.api.catalog import Catalog
from tiphys.api.service import Api
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.base.names import RandomIds
from tiphys.pki.certificate_request import CertificateRequest, process
from tiphys.schema.definitions import Definitions
from tiphys.store.memory import MemoryStore

KINDS = discover("tiphys.kinds", "KIND")
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
CORE, VIEW = "/api/v1/namespaces/default/events", "/apis/events.k8s.io/v1/namespaces/default/events"
EVENT: Document = {
    "metadata": {"name": "e"},
    "eventTime": "2026-01-02T03:04:05.000000Z",
    "reportingController": "example.com/c",
    "reportingInstance": "i",
    "action": "Do",
    "reason": "Done",
    "type": "Normal",
    "note": "it is done",
    "regarding": {"kind": "Pod", "namespace": "default", "name": "p"},
}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    store = MemoryStore()
    await store.open()
    clock, admission = StillClock(), RecordingAdmission()
    api = Api(store, Catalog(Definitions.load(37), KINDS), admission, clock, RandomIds(random.Random(1)))
    yield World(api, store, clock, admission)
    await store.close()


async def test_an_event_is_one_object_in_two_groups(world: World) -> None:
    made = await world.ok("POST", VIEW, EVENT)
    assert (made["apiVersion"], made["note"]) == ("events.k8s.io/v1", "it is done")
    core = await world.ok("GET", f"{CORE}/e")
    assert (core["apiVersion"], core["message"], core["involvedObject"]["name"]) == ("v1", "it is done", "p")
    listed = await world.ok("GET", VIEW, query={"fieldSelector": "regarding.name=p"})
    assert (listed["kind"], listed["apiVersion"]) == ("EventList", "events.k8s.io/v1")
    assert [item["note"] for item in listed["items"]] == ["it is done"]
    listed = await world.ok("GET", CORE, query={"fieldSelector": "involvedObject.name=p"})
    assert [item["message"] for item in listed["items"]] == ["it is done"]
    assert core["metadata"]["uid"] == made["metadata"]["uid"]


async def test_an_event_changed_in_one_group_is_changed_in_the_other(world: World) -> None:
    await world.ok("POST", VIEW, EVENT)
    core = await world.ok("GET", f"{CORE}/e")
    await world.ok("PUT", f"{CORE}/e", {**core, "message": "again"})
    assert (await world.ok("GET", f"{VIEW}/e"))["note"] == "again"


@pytest.mark.parametrize("path", [CORE, VIEW])
async def test_tables_of_events_have_their_name_last(world: World, path: str) -> None:
    await world.ok("POST", VIEW, EVENT)
    table = await world.ok("GET", path, headers=TABLE)
    names = [column["name"] for column in table["columnDefinitions"]]
    cells = dict(zip(names, table["rows"][0]["cells"], strict=True))
    assert (names[0], names[-1]) == ("Last Seen", "Name")
    assert (cells["Object"], cells["Message"], cells["Name"]) == ("pod/p", "it is done", "e")


async def test_tables_have_the_name_first(world: World) -> None:
    await world.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "erp"}})
    table = await world.ok("GET", "/api/v1/namespaces", headers=TABLE)
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Status", "Age"]
    assert table["rows"][0]["cells"][:2] == ["erp", "Active"]


async def test_a_node_brings_its_status(world: World) -> None:
    """Upstream's nodeStrategy.PrepareForCreate leaves the status: kubelets register with it."""
    body = {"metadata": {"name": "n"}, "status": {"capacity": {"cpu": "4"}}}
    assert (await world.ok("POST", "/api/v1/nodes", body))["status"]["allocatable"] == {"cpu": "4"}


async def test_a_request_for_a_certificate_names_who_asks(world: World) -> None:
    _, request = process(CertificateRequest(common_name="alice"))
    encoded = base64.b64encode(request).decode()
    spec = {"request": encoded, "signerName": "a.b/c", "usages": ["client auth"], "username": "root"}
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    made = await world.ok("POST", path, {"metadata": {"name": "r"}, "spec": spec})
    assert (made["spec"]["username"], made["spec"]["groups"]) == ("admin", ["system:masters"])


async def test_a_definition_whose_version_has_no_name_is_stored_as_upstream_would(world: World) -> None:
    """What validation says to it comes with validation; until then it must not be a 500."""
    spec = {"group": "e.org", "versions": [{"storage": True}], "names": {"plural": "as", "kind": "A"}}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    response = await world.ask("POST", path, {"metadata": {"name": "as.e.org"}, "spec": spec})
    assert response.status in (201, 422)
