"""What authorization adds to a request: `python bench/authorization.py`.

A thousand bindings of a hundred roles over fifty namespaces and as many users; each decision once for a question just
asked before, once for a question never asked. The peer is upstream's way, in the same process: a walk over the
cluster role bindings and the namespace's role bindings at each request (`pkg/registry/rbac/validation/rule.go`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from tiphys.api.encoding import encode
from tiphys.api.request_info import RequestInfo, read_request_info
from tiphys.auth.rbac.authorizer import RBAC
from tiphys.auth.rbac.rule import compiled
from tiphys.base.user import User
from tiphys.store.memory import MemoryStore

GROUP = "rbac.authorization.k8s.io"
BINDINGS, ROLES, NAMESPACES, USERS = 1_000, 100, 50, 50
ROUNDS = 20_000
LIMIT = 15.0
"""Microseconds a decision may take."""


def role(number: int) -> dict[str, Any]:
    rules = [
        {"verbs": ["get", "list", "watch"], "apiGroups": ["", "apps"], "resources": [f"things{number}", "pods/log"]},
        {"verbs": ["get", "list", "watch"], "apiGroups": [""], "resources": ["pods", "configmaps"]},
    ]
    meta = {"name": f"role-{number}"}
    return {"apiVersion": f"{GROUP}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules}


def binding(number: int) -> dict[str, Any]:
    metadata = {"name": f"binding-{number}"}
    kind = "ClusterRoleBinding" if number % 10 == 0 else "RoleBinding"
    if kind == "RoleBinding":
        metadata["namespace"] = f"ns-{number % NAMESPACES}"
    subject = {"kind": "User", "apiGroup": GROUP, "name": f"user-{number % USERS}"}
    reference = {"apiGroup": GROUP, "kind": "ClusterRole", "name": f"role-{number % ROLES}"}
    return {
        "apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "roleRef": reference, "subjects": [subject],
    }  # fmt: skip


class Walk:
    """The peer: nothing kept but the objects."""

    def __init__(self, roles: Iterable[dict[str, Any]], bindings: Iterable[dict[str, Any]]) -> None:
        self._rules = {r["metadata"]["name"]: [compiled(rule) for rule in r["rules"]] for r in roles}
        self._by_place: dict[str, list[dict[str, Any]]] = {}
        for each in bindings:
            self._by_place.setdefault(each["metadata"].get("namespace", ""), []).append(each)

    async def decide(self, user: User, info: RequestInfo) -> bool:
        for place in ("", info.namespace):
            for each in self._by_place.get(place, ()):
                if any(subject["name"] == user.name for subject in each["subjects"]) and any(
                    rule.allows(info) for rule in self._rules[each["roleRef"]["name"]]
                ):
                    return True
        return False


async def timed(
    decide: Callable[[User, RequestInfo], Awaitable[Any]], asked: list[tuple[User, RequestInfo]]
) -> float:
    """Microseconds a decision."""
    began = time.perf_counter()
    for user, info in asked:
        await decide(user, info)
    return (time.perf_counter() - began) / len(asked) * 1e6


async def main() -> None:
    store = MemoryStore()
    await store.open()
    roles, bindings = [role(n) for n in range(ROLES)], [binding(n) for n in range(BINDINGS)]
    for each in roles:
        await store.create(f"/registry/{GROUP}/clusterroles/{each['metadata']['name']}", encode(each))
    for each in bindings:
        metadata = each["metadata"]
        place = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
        await store.create(f"/registry/{GROUP}/{each['kind'].lower()}s/{place}", encode(each))
    rbac, walk = RBAC(store), Walk(roles, bindings)
    users = [User(f"user-{n}", ("devs", "system:authenticated")) for n in range(USERS)]
    await rbac.decide(users[0], RequestInfo("/", "get"))

    def asked(name: str) -> list[tuple[User, RequestInfo]]:
        path = "/api/v1/namespaces/ns-{}/{}"
        infos = [read_request_info("GET", path.format(n, name.format(n)), "") for n in range(NAMESPACES)]
        return [(users[n % USERS], infos[n % NAMESPACES]) for n in range(ROUNDS)]

    new = await timed(rbac.decide, asked("pods/web-{}")[:NAMESPACES])
    known, refused = await timed(rbac.decide, asked("pods/web-{}")), await timed(rbac.decide, asked("secrets/s-{}"))
    peer, peer_refused = (
        await timed(walk.decide, asked("pods/web-{}")),
        await timed(walk.decide, asked("secrets/s-{}")),
    )
    print(f"decision, {BINDINGS} bindings   {known:6.2f} µs allowed, {refused:6.2f} µs refused, {new:6.2f} µs if new")
    print(f"a walk over all bindings {peer:6.2f} µs allowed, {peer_refused:6.2f} µs refused")
    print(f"ratio                    {peer / known:6.1f}           {peer_refused / refused:6.1f}")
    verdict = "within" if max(known, refused) < LIMIT else "OVER"
    print(f"{verdict} the {LIMIT:g} µs there are for it")
    await store.close()


if __name__ == "__main__":
    asyncio.run(main())
