"""CertificateSigningRequests through the real verbs and admission: who may write what, in upstream's words
(k/k `apis/certificates/validation/validation_test.go`, `registry/certificates`, `admission/certificates`)."""

from __future__ import annotations

import base64
import random
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from tests.unit.api.world import StillClock

from tiphys.admission.chain import Chain
from tiphys.api.admission import Environment
from tiphys.api.authorization import Decision, UserRules
from tiphys.api.catalog import Catalog
from tiphys.api.request_info import RequestInfo, read_request_info
from tiphys.api.service import Api
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.base.http import Request
from tiphys.base.names import RandomIds
from tiphys.base.user import MASTERS, User
from tiphys.pki.authority import Authority
from tiphys.pki.certificate_request import CertificateRequest, process
from tiphys.pki.subject import NamePart
from tiphys.schema.definitions import Definitions
from tiphys.store.memory import MemoryStore

KINDS = discover("tiphys.kinds", "KIND")
ADMIN, JOE = User("admin", (MASTERS,)), User("joe", ("dev",), "u1", {"team": ("red",)})
PATH = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client"
APPROVED = {"type": "Approved", "status": "True", "reason": "R", "message": "m"}
DENIED = {**APPROVED, "type": "Denied"}


def encoded(*organizations: str) -> str:
    return base64.b64encode(
        process(CertificateRequest("alice", [NamePart(O=name) for name in organizations]))[1]
    ).decode()


PEM = encoded("dev")


class Signers:
    """Lets masters act for every signer, joe for those of example.com."""

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        return Decision(MASTERS in user.groups or (info.resource, info.name) == ("signers", "example.com/*"))

    async def rules(self, user: User, namespace: str) -> UserRules:
        return UserRules()


class World:
    def __init__(self, api: Api) -> None:
        self.api = api

    async def ask(self, method: str, path: str = "", body: Any = None, user: User = ADMIN) -> tuple[int, Document]:
        path = PATH + path
        headers = {"content-type": "application/json" if method != "PATCH" else "application/merge-patch+json"}
        request = Request(method, path, "", headers, orjson.dumps(body) if body else b"", user)
        response = await self.api.handle(request, read_request_info(method, path, ""))
        assert isinstance(response.body, bytes)
        return response.status, orjson.loads(response.body)

    async def create(self, user: User = ADMIN, signer: str = CLIENT, **spec: Any) -> tuple[int, Document]:
        body = {
            "metadata": {"name": "r"},
            "spec": {"request": PEM, "signerName": signer, "usages": ["client auth"], **spec},
        }
        return await self.ask("POST", "", body, user)

    async def write(self, part: str, user: User = ADMIN, **status: Any) -> tuple[int, Document]:
        _, found = await self.ask("GET", "/r")
        return await self.ask("PUT", f"/r{part}", {**found, "status": {**found.get("status", {}), **status}}, user)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    store = MemoryStore()
    await store.open()
    clock, ids = StillClock(), RandomIds(random.Random(1))
    api = Api(store, Catalog(Definitions.load(37), KINDS), None, clock, ids)
    environment = Environment(api.reader, api.writer, clock, ids, 37, authorizer=Signers())
    api.admission = Chain(environment)
    yield World(api)
    await store.close()


async def test_the_requester_is_who_asks(world: World) -> None:
    _, made = await world.create(JOE, username="root", groups=[MASTERS], uid="0", extra={"a": ["b"]})
    spec = made["spec"]
    assert (spec["username"], spec["uid"], spec["groups"], spec["extra"]) == ("joe", "u1", ["dev"], {"team": ["red"]})


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"request": "eA=="}, 'spec.request: Invalid value: "eA==": PEM block type must be CERTIFICATE REQUEST'),
        ({"usages": []}, "spec.usages: Required value: usages must be provided"),
        (
            {"usages": ["zap"]},
            'spec.usages[0]: Unsupported value: "zap": supported values: "any", "cert sign", ',
        ),
        ({"usages": ["any", "any"]}, 'spec.usages[1]: Duplicate value: "any"'),
        ({"signerName": ""}, "spec.signerName: Required value: signerName must be provided"),
        ({"signerName": "x"}, "must be a fully qualified domain and path of the form 'example.com/signer-name'"),
        ({"signerName": "x/y"}, "should be a domain with at least two segments separated by dots"),
        (
            {"signerName": "a.B/y"},
            'spec.signerName: Invalid value: "a.B": validating label "B": a lowercase RFC 1123',
        ),
        (
            {"signerName": "kubernetes.io/legacy-unknown"},
            "the legacy signerName is not allowed via this API version",
        ),
        (
            {"expirationSeconds": 599},
            "expirationSeconds: Invalid value: 599: may not specify a duration less than 600 seconds (10 minutes)",
        ),
    ],
)
async def test_what_may_be_asked(world: World, spec: Document, message: str) -> None:
    status, answer = await world.create(**spec)
    assert status == 422 and message in answer["message"], answer["message"]


async def test_nobody_becomes_a_master_by_a_certificate(world: World) -> None:
    status, answer = await world.create(request=encoded(MASTERS))
    words = "use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed"
    assert status == 403 and answer["message"].endswith(words)
    assert (await world.create(request=encoded(MASTERS), signer="example.com/x"))[0] == 201


async def test_approval_writes_conditions_and_their_times(world: World) -> None:
    _, made = await world.create()
    status, approved = await world.write("/approval", conditions=[APPROVED], certificate="eA==")
    assert status == 200
    (condition,) = approved["status"]["conditions"]
    now = made["metadata"]["creationTimestamp"]
    assert condition == {**APPROVED, "lastUpdateTime": now, "lastTransitionTime": now}
    assert "certificate" not in approved["status"], "is not the approver's to set"


async def test_approval_is_patched_too(world: World) -> None:
    await world.create()
    status, approved = await world.ask(
        "PATCH", "/r/approval", {"status": {"conditions": [APPROVED]}, "spec": {"uid": "x"}}
    )
    assert status == 200 and approved["status"]["conditions"][0]["type"] == "Approved"
    assert "uid" not in approved["spec"]


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ([APPROVED, DENIED], "Approved and Denied conditions are mutually exclusive"),
        ([APPROVED, APPROVED], 'status.conditions[1].type: Duplicate value: "Approved"'),
        (
            [{**APPROVED, "status": "False"}],
            'status.conditions[0].status: Unsupported value: "False": supported values: "True"',
        ),
        ([{"type": "Approved"}], "status.conditions[0].status: Required value"),
        ([{"type": "", "status": "True"}], "status.conditions[0].type: Required value"),
    ],
)
async def test_conditions_that_may_not_be(world: World, conditions: list[Document], message: str) -> None:
    await world.create()
    status, answer = await world.write("/approval", conditions=conditions)
    assert status == 422 and message in answer["message"], answer["message"]


async def test_what_is_approved_stays_approved(world: World) -> None:
    await world.create()
    await world.write("/approval", conditions=[APPROVED])
    status, answer = await world.write("/approval", conditions=[DENIED])
    assert status == 422 and 'updates may not remove a condition of type "Approved"' in answer["message"]


async def test_only_approval_approves(world: World) -> None:
    await world.create()
    status, answer = await world.write("/status", conditions=[APPROVED])
    assert status == 422 and 'updates may not add a condition of type "Approved"' in answer["message"]
    _, unchanged = await world.write("", conditions=[APPROVED])
    assert "conditions" not in unchanged.get("status", {})


async def test_a_certificate_is_set_once_and_must_be_one(world: World) -> None:
    await world.create()
    status, answer = await world.write("/status", certificate=base64.b64encode(b"x").decode())
    assert status == 422 and "must contain at least one CERTIFICATE PEM block" in answer["message"]
    pair = Authority.create("a", 1.8e9).pair
    for wrong in (pair.key, b"-----BEGIN CERTIFICATE-----\na: b\n\nAAAA\n-----END CERTIFICATE-----\n"):
        assert (await world.write("/status", certificate=base64.b64encode(wrong).decode()))[0] == 422
    certificate = base64.b64encode(pair.certificate).decode()
    assert (await world.write("/status", certificate=certificate))[0] == 200
    status, answer = await world.write("/status", certificate=base64.b64encode(pair.certificate * 2).decode())
    assert status == 422 and "updates may not modify existing certificate content" in answer["message"]


async def test_approving_and_signing_are_asked_for_by_signer(world: World) -> None:
    await world.create()
    status, answer = await world.write("/approval", JOE, conditions=[APPROVED])
    assert status == 403
    assert f'user not permitted to approve requests with signerName "{CLIENT}"' in answer["message"]
    failed = {**APPROVED, "type": "Failed"}
    status, answer = await world.write("/status", JOE, conditions=[failed])
    assert status == 403 and f'user not permitted to sign requests with signerName "{CLIENT}"' in answer["message"]
    await world.ask("DELETE", "/r")
    await world.create(signer="example.com/mine")
    assert (await world.write("/approval", JOE, conditions=[APPROVED]))[0] == 200
