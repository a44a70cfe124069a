"""A policy to ask: roles and bindings in a memory store, written as any others are."""

from __future__ import annotations

import orjson
import pytest

from tiphys.api.encoding import encode
from tiphys.api.request_info import read_request_info
from tiphys.auth.contract import Decision
from tiphys.auth.rbac.authorizer import RBAC
from tiphys.auth.rbac.known_policy import GROUP
from tiphys.base.document import Document
from tiphys.base.user import User
from tiphys.store.contract import Store
from tiphys.store.memory import MemoryStore


class Policy:
    """What a test writes its roles and bindings with, and asks."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.rbac = RBAC(store)

    async def role(self, name: str, *rules: Document, namespace: str = "") -> None:
        await self.put("Role" if namespace else "ClusterRole", name, namespace, {"rules": list(rules)})

    async def bind(
        self, name: str, role: str, *subjects: Document, namespace: str = "", cluster: bool = False
    ) -> None:
        """To a Role in a namespace, unless `cluster`; to a ClusterRole otherwise."""
        kind = "Role" if namespace and not cluster else "ClusterRole"
        content = {"roleRef": {"apiGroup": GROUP, "kind": kind, "name": role}, "subjects": list(subjects)}
        await self.put("RoleBinding" if namespace else "ClusterRoleBinding", name, namespace, content)

    async def put(self, kind: str, name: str, namespace: str, content: Document) -> None:
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        document = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, **content}
        key = self.key(kind, name, namespace)
        found = await self.store.get(key)
        if found is None:
            await self.store.create(key, encode(document))
        else:
            await self.store.update(key, encode(document), expected=found.revision)

    async def remove(self, kind: str, name: str, namespace: str = "") -> None:
        key = self.key(kind, name, namespace)
        found = await self.store.get(key)
        assert found is not None
        await self.store.delete(key, expected=found.revision)

    async def get(self, kind: str, name: str, namespace: str = "") -> Document | None:
        found = await self.store.get(self.key(kind, name, namespace))
        return orjson.loads(found.value) if found else None

    @staticmethod
    def key(kind: str, name: str, namespace: str) -> str:
        place = f"{namespace}/{name}" if namespace else name
        return f"/registry/{GROUP}/{kind.lower()}s/{place}"

    async def decide(self, user: User | str, method: str, path: str, query: str = "") -> Decision:
        asker = User(user) if isinstance(user, str) else user
        return await self.rbac.decide(asker, read_request_info(method, path, query))

    async def allows(self, user: User | str, method: str, path: str, query: str = "") -> bool:
        return (await self.decide(user, method, path, query)).allowed


@pytest.fixture
async def policy():
    store = MemoryStore()
    await store.open()
    yield Policy(store)
    await store.close()
