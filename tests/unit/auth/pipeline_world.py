"""The whole pipeline over a memory store, with every kind and plugin and the default policy."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from tiphys.admission.chain import Chain
from tiphys.api.admission import Environment
from tiphys.api.catalog import Catalog
from tiphys.api.discovery import Discovery
from tiphys.api.service import Api
from tiphys.auth.bearer_token import BearerToken
from tiphys.auth.contract import AnyOf
from tiphys.auth.masters import Masters
from tiphys.auth.node.authorizer import NodeAuthorizer
from tiphys.auth.rbac.authorizer import RBAC
from tiphys.auth.rbac.bootstrap import Bootstrap
from tiphys.auth.rbac.escalation import EscalationCheck
from tiphys.auth.token_file import TokenFile
from tiphys.base.clock import SystemClock
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.base.http import Handler, Request
from tiphys.base.names import RandomIds
from tiphys.base.user import AUTHENTICATED, MASTERS, User
from tiphys.schema.definitions import Definitions
from tiphys.server.pipeline import build_pipeline
from tiphys.store.contract import Store
from tiphys.store.memory import MemoryStore

RBAC_PATH = "/apis/rbac.authorization.k8s.io/v1"
ADMIN = User("admin", (MASTERS, AUTHENTICATED))
JANE = User("jane", ("devs", AUTHENTICATED))


@lru_cache
def catalog(minor: int = 37) -> Catalog:
    return Catalog(Definitions.load(minor), discover("tiphys.kinds", "KIND"))


@dataclass
class World:
    store: Store
    handler: Handler

    async def ask(
        self,
        user: User | None,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> tuple[int, Document]:
        content = {"content-type": "application/merge-patch+json" if method == "PATCH" else "application/json"}
        data = orjson.dumps(body) if body is not None else b""
        request = Request(method, path, query, {**content, **(headers or {})}, data, user)
        response = await self.handler(request)
        if not isinstance(response.body, bytes):
            return response.status, {}
        try:
            return response.status, orjson.loads(response.body)
        except orjson.JSONDecodeError:
            return response.status, {"message": response.body.decode()}

    async def ok(self, *words: Any, **more: Any) -> Document:
        status, document = await self.ask(*words, **more)
        assert status < 300, document
        return document

    async def refused(self, code: int, *words: Any, **more: Any) -> str:
        status, document = await self.ask(*words, **more)
        assert status == code, document
        return str(document["message"])

    async def role(self, name: str, *rules: Document, namespace: str = "", **more: Any) -> None:
        place = f"/namespaces/{namespace}/roles" if namespace else "/clusterroles"
        await self.ok(ADMIN, "POST", RBAC_PATH + place, {"metadata": {"name": name}, "rules": list(rules), **more})

    async def bind(self, role: str, user: str, namespace: str = "", kind: str = "ClusterRole") -> None:
        place = f"/namespaces/{namespace}/rolebindings" if namespace else "/clusterrolebindings"
        await self.ok(ADMIN, "POST", RBAC_PATH + place, binding(role, user, kind, f"{user}-{role}"))


def binding(role: str, user: str, kind: str = "ClusterRole", name: str = "b") -> Document:
    return {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [{"kind": "User", "name": user}],
    }


@asynccontextmanager
async def new_world(tokens: Mapping[str, User] | None = None) -> AsyncIterator[World]:
    store, clock, ids = MemoryStore(), SystemClock(), RandomIds()
    await store.open()
    api = Api(store, catalog(), None, clock, ids)
    rbac = RBAC(store)
    api.authorizer = authorizer = AnyOf([Masters(), NodeAuthorizer(api.reader, 37), rbac])
    environment = Environment(api.reader, api.writer, clock, ids, 37, authorizer=authorizer)
    api.admission = EscalationCheck(Chain(environment), authorizer, rbac)
    authenticator = BearerToken([TokenFile(tokens or {})])
    world = World(store, build_pipeline(api, Discovery(catalog()), authenticator, authorizer))
    for name in ("default", "kube-system", "kube-public", "kube-node-lease", "erp"):
        await world.ok(ADMIN, "POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    await Bootstrap(store, catalog(), clock, ids).run()
    yield world
    await store.close()
