"""Ways around authorization that are none: what is authorized is what is done. Over sockets, as bytes.

Jane may read the pods of erp, watch ConfigMap `one` there, and act as bob. Nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from tests.unit.auth.pipeline_world import new_world

from tiphys.base.user import User
from tiphys.server.app import App
from tiphys.server.listener import Server

PODS = "/api/v1/namespaces/erp/pods"
READ = {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["pods"]}
ONE = {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"]}
AS_BOB = {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"]}
AS_DEVS = {"verbs": ["impersonate"], "apiGroups": [""], "resources": ["groups"], "resourceNames": ["a, b"]}

Ask = Callable[..., "asyncio.Future[tuple[int, str]]"]


@pytest.fixture
async def ask():
    """Sends raw bytes, returns the status and the answer's text; chunked answers end with the connection."""
    tokens = {"jane": User("jane"), "admin": User("admin", ("system:masters",))}
    async with new_world(tokens) as world:
        await world.role("reader", READ, ONE)
        await world.bind("reader", "jane", "erp")
        await world.role("acting", AS_BOB, AS_DEVS)
        await world.bind("acting", "jane")
        server = Server(App(world.handler))
        port = await server.listen("127.0.0.1", 0)

        async def send(method: str, target: str, *lines: str, token: str = "jane") -> tuple[int, str]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *lines]
            writer.write("\r\n".join([*head, f"Authorization: Bearer {token}", "", ""]).encode())
            answer = (await asyncio.wait_for(reader.read(65536), 5)).decode()
            writer.close()
            return int(answer.split(" ", 2)[1]), answer

        yield send
        await server.shutdown()


async def test_what_jane_may(ask):
    assert (await ask("GET", PODS))[0] == 200
    assert (await ask("GET", "/api/v1/namespaces/erp/configmaps?fieldSelector=metadata.name%3Done"))[0] == 200


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/namespaces/erp/secrets",
        "/api/v1/namespaces/erp/secrets/",
        "/api/v1/namespaces/erp/pods/../secrets",
        "/api/v1/namespaces/erp/pods/%2e%2e/secrets",
        "/api/v1/namespaces/erp/pods/..%2fsecrets",
        "/api/v1/namespaces/erp/pods%2f..%2fsecrets",
        "/api/v1/namespaces/erp/pods/%252e%252e/secrets",
        "/api/v1/namespaces/erp/./secrets",
        "/api/v1/namespaces/erp//secrets",
        "//api/v1/namespaces/erp/secrets",
        "/api//v1/namespaces/erp/secrets",
        "/api/v1//namespaces/erp/secrets",
        "/API/v1/namespaces/erp/secrets",
        "/api/v1/namespaces/erp/Secrets",
        "/api/v1/namespaces/ERP/pods",
        "/api/v1/namespaces/erp%00/pods",
        "/api/v1/namespaces/web/pods",
        "/api/v1/namespaces/erp/pods/../../web/pods",
        "/api/v1/pods",
        "/api/v1/namespaces//pods",
        "/apis//v1/namespaces/erp/pods",
        "/openapi/../api/v1/namespaces/erp/secrets",
        "/api/../metrics",
        "/healthz/../metrics",
        "http://x/api/v1/namespaces/erp/secrets",
    ],
)
async def test_paths(ask, target):
    """Refused, or a page there is not; whatever is found is what was authorized. None ever lists."""
    status, answer = await ask("GET", target)
    assert status in (400, 403, 404), answer
    assert '"items"' not in answer


@pytest.mark.parametrize(
    "target",
    [
        "/api/v1/watch/namespaces/erp/secrets",
        "/api/v1/watch/pods",
        "/api/v1/proxy/namespaces/erp/pods/a",
        "/api/v1/watch/namespaces/erp/configmaps?fieldSelector=metadata.name%3Done",
        "/api/v1/watch/namespaces/erp/configmaps/two",
        f"{PODS}/a/log",
        f"{PODS}/a/exec?command=sh",
        f"{PODS}/a/proxy/secrets",
        "/api/v1/namespaces/erp/configmaps",
        "/api/v1/namespaces/erp/configmaps/two",
        "/api/v1/namespaces/erp/configmaps?fieldSelector=metadata.name!%3Done",
        "/api/v1/namespaces/erp/configmaps?fieldSelector=metadata.name%3Dtwo",
        "/api/v1/namespaces/erp/configmaps?fieldSelector=metadata.namespace!%3Dx%5C,metadata.name%3Done",
        "/api/v1/namespaces/erp/configmaps?fieldSelector=metadata.name%3Dtwo&fieldSelector=metadata.name%3Done",
        "/api/v1/namespaces/erp/configmaps?watch=1&fieldSelector=metadata.name%3Dtwo",
    ],
)
async def test_verbs_and_subresources(ask, target):
    status, answer = await ask("GET", target)
    assert status == 403 and "forbidden" in answer, answer


async def test_a_name_in_the_path_and_another_in_the_selector(ask):
    """Authorized by the path's; the list refuses the two (handlers.listOpts)."""
    target = "/api/v1/watch/namespaces/erp/configmaps/one?fieldSelector=metadata.name%3Dtwo"
    status, answer = await ask("GET", target)
    assert status == 400, answer


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
async def test_the_method_is_the_requests_own(ask, header):
    assert (await ask("POST", PODS, f"{header}: GET", "Content-Length: 0"))[0] == 403
    status, answer = await ask("GET", PODS, f"{header}: DELETE")
    assert status == 200 and '"items"' in answer
    assert (await ask("GET", f"{PODS}?method=DELETE&_method=DELETE"))[0] == 200


@pytest.mark.parametrize("method", ["get", "Get", "OPTIONS", "PURGE", "DELETE"])
async def test_methods_that_are_no_reading(ask, method):
    status, answer = await ask(method, PODS)
    assert status in (400, 403, 405), answer


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        (["Impersonate-User: admin"], 'users \\"admin\\"'),
        (["impersonate-user: admin"], 'users \\"admin\\"'),
        (["Impersonate-User: bob", "Impersonate-Group: system:masters"], 'groups \\"system:masters\\"'),
        (
            ["Impersonate-User: bob", "Impersonate-Group: a, b", "Impersonate-Group: system:masters"],
            'groups \\"system:masters\\"',
        ),
        (["Impersonate-User: bob", "Impersonate-Group: a", "Impersonate-Group: b"], 'groups \\"a\\"'),
        (["Impersonate-User: admin", "Impersonate-User: bob"], 'users \\"admin\\"'),
        (["Impersonate-User: bob", "Impersonate-Extra-Scopes: x"], "userextras"),
        (["Impersonate-User: bob", "Impersonate-Uid: 1"], "uids"),
        (["Impersonate-User: system:serviceaccount:kube-system:x"], "serviceaccounts"),
    ],
)
async def test_impersonation(ask, lines, named):
    status, answer = await ask("GET", PODS, *lines)
    assert status == 403 and named in answer and "cannot impersonate" in answer, answer


async def test_a_group_with_a_comma_is_one_group(ask):
    lines = ["Impersonate-User: bob", "Impersonate-Group: a, b"]
    status, answer = await ask("GET", PODS, *lines)
    assert status == 403 and 'User \\"bob\\" cannot list' in answer


async def test_who_acts_as_another_has_their_rights_and_no_more(ask):
    status, answer = await ask("GET", PODS, "Impersonate-User: bob")
    assert status == 403 and 'User \\"bob\\" cannot list' in answer
    assert (await ask("GET", PODS, "Impersonate-User: jane", token="admin"))[0] == 200
    assert (await ask("GET", "/api/v1/pods", "Impersonate-User: jane", token="admin"))[0] == 403


@pytest.mark.parametrize(
    "line", ["Impersonate-User : admin", " Impersonate-User: admin", "Impersonate-User\x00: admin"]
)
async def test_headers_that_are_none_are_refused_or_nothing(ask, line):
    status, answer = await ask("GET", "/api/v1/namespaces/erp/secrets", line)
    assert status in (400, 403) and "items" not in answer


async def test_a_group_without_a_user(ask):
    status, answer = await ask("GET", PODS, "Impersonate-Group: system:masters")
    assert status == 400 and "without impersonating a user" in answer


@pytest.mark.parametrize(
    "line", ["X-Remote-User: admin", "X-Remote-Group: system:masters", "Impersonate_User: admin"]
)
async def test_headers_of_other_authenticators_are_nothing(ask, line):
    status, answer = await ask("GET", "/api/v1/namespaces/erp/secrets", line)
    assert status == 403 and 'User \\"jane\\" cannot list' in answer
