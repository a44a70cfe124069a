"""A store with compare-and-swap in memory, and attributes, for the tests of plugins."""

from __future__ import annotations

import asyncio
import copy
import random
from collections.abc import Sequence
from typing import Any

from tiphys.api.admission import Attributes, Environment
from tiphys.base.document import Document
from tiphys.base.names import RandomIds
from tiphys.base.status import MODIFIED, conflict, not_found
from tiphys.base.user import User

Key = tuple[str, str, str, str]


class FakeClock:
    """Sleeping takes no time but that of a turn of the loop."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class FakeCluster:
    """Reader and Writer. Each write takes a few turns of the loop, and `interfere` may change things meanwhile."""

    def __init__(self) -> None:
        self.objects: dict[Key, Document] = {}
        self.revision = 0
        self.writes = 0
        self.interfere: Any = None

    def put(self, document: Document, group: str = "", plural: str = "") -> Document:
        metadata = document["metadata"]
        self.revision += 1
        stored = copy.deepcopy(document)
        stored["metadata"]["resourceVersion"] = str(self.revision)
        self.objects[group, plural, metadata.get("namespace", ""), metadata["name"]] = stored
        return stored

    async def get(self, group: str, plural: str, namespace: str, name: str) -> Document | None:
        await asyncio.sleep(0)
        return self.objects.get((group, plural, namespace, name))

    async def list(self, group: str, plural: str, namespace: str = "") -> Sequence[Document]:
        await asyncio.sleep(0)
        return [
            document
            for (its_group, its_plural, its_namespace, _), document in sorted(self.objects.items())
            if (its_group, its_plural) == (group, plural) and namespace in ("", its_namespace)
        ]

    async def replace_status(self, group: str, plural: str, document: Document) -> Document:
        metadata = document["metadata"]
        await asyncio.sleep(0)
        if self.interfere is not None:
            self.interfere()
        key = (group, plural, metadata.get("namespace", ""), metadata["name"])
        current = self.objects.get(key)
        if current is None:
            raise not_found(plural, metadata["name"])
        if current["metadata"]["resourceVersion"] != metadata["resourceVersion"]:
            raise conflict(plural, metadata["name"], MODIFIED)
        self.writes += 1
        return self.put({**current, "status": document["status"]}, group, plural)


def environment(cluster: FakeCluster | None = None, minor: int = 37) -> Environment:
    found = cluster or FakeCluster()
    return Environment(found, found, FakeClock(), RandomIds(random.Random(1)), minor)


def attributes(
    document: Document | None,
    plural: str = "pods",
    *,
    group: str = "",
    operation: str = "CREATE",
    old: Document | None = None,
    subresource: str = "",
    namespace: str = "erp",
    name: str | None = None,
    dry_run: bool = False,
) -> Attributes:
    metadata = (document or old or {}).get("metadata") or {}
    return Attributes(
        operation=operation,
        group=group,
        version="v1",
        resource=plural,
        kind="",
        subresource=subresource,
        namespace=namespace,
        name=metadata.get("name", "") if name is None else name,
        object=document,
        old=old,
        user=User("someone"),
        dry_run=dry_run,
    )


def pod(*containers: Document, name: str = "p", **spec: Any) -> Document:
    return {"metadata": {"name": name, "namespace": "erp"}, "spec": {"containers": list(containers), **spec}}


def container(
    name: str = "c", requests: dict[str, str] | None = None, limits: dict[str, str] | None = None, **more: Any
) -> Document:
    resources: Document = {}
    if requests is not None:
        resources["requests"] = requests
    if limits is not None:
        resources["limits"] = limits
    return {"name": name, "resources": resources, **more}
