"""A small API server in memory, faithful where controllers look: versions, generations, watches, deletion.

It neither defaults nor validates; documents are written whole by the tests. Not a stand-in for the real API,
which the tests under tests/clients run against: it keeps these tests to the controllers alone.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import orjson

from tiphys.api.request_info import RequestInfo, read_request_info
from tiphys.base import label_selector, status
from tiphys.base.clock import Clock, rfc3339
from tiphys.base.document import Document
from tiphys.base.http import Request, Response
from tiphys.base.names import Ids, generate_name
from tiphys.base.status import StatusError, qualified

SERVED = {
    "v1": [
        ("configmaps", "ConfigMap", True),
        ("endpoints", "Endpoints", True),
        ("events", "Event", True),
        ("limitranges", "LimitRange", True),
        ("namespaces", "Namespace", False),
        ("nodes", "Node", False),
        ("persistentvolumeclaims", "PersistentVolumeClaim", True),
        ("pods", "Pod", True),
        ("replicationcontrollers", "ReplicationController", True),
        ("resourcequotas", "ResourceQuota", True),
        ("secrets", "Secret", True),
        ("serviceaccounts", "ServiceAccount", True),
        ("services", "Service", True),
    ],
    "apps/v1": [
        ("controllerrevisions", "ControllerRevision", True),
        ("daemonsets", "DaemonSet", True),
        ("deployments", "Deployment", True),
        ("replicasets", "ReplicaSet", True),
        ("statefulsets", "StatefulSet", True),
    ],
    "batch/v1": [("cronjobs", "CronJob", True), ("jobs", "Job", True)],
    "coordination.k8s.io/v1": [("leases", "Lease", True)],
    "discovery.k8s.io/v1": [("endpointslices", "EndpointSlice", True)],
    "policy/v1": [("poddisruptionbudgets", "PodDisruptionBudget", True)],
}
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
MERGE_KEYS = {"ownerReferences": "uid", "conditions": "type", "finalizers": ""}
Key = tuple[str, str, str, str]
"""(group, plural, namespace, name)"""


@dataclass(slots=True)
class Change:
    revision: int
    key: Key
    type: str
    document: Document


@dataclass
class FakeApi:
    clock: Clock
    ids: Ids
    objects: dict[Key, Document] = field(default_factory=dict)
    refuse: Callable[[RequestInfo, Document], StatusError | None] | None = None
    """Called for every create."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """(verb, resource with subresource) of every write."""

    def __post_init__(self) -> None:
        self._changes: list[Change] = []
        self._compacted = 0
        self._news = asyncio.Event()
        self._watchers_ended = asyncio.Event()

    @property
    def revision(self) -> int:
        return self._changes[-1].revision if self._changes else 1

    def of(self, plural: str) -> list[Document]:
        """All objects of a resource, by key."""
        return [self.objects[key] for key in sorted(self.objects) if key[1] == plural]

    async def until(self, condition: Callable[[], Any], seconds: float = 10.0) -> Any:
        """Wait for changes until the condition gives something true."""
        async with asyncio.timeout(seconds):
            while not (found := condition()):
                await self._news.wait()
        return found

    def end_watches(self, compact: bool = False) -> None:
        if compact:
            self._compacted = self.revision
        self._watchers_ended.set()
        self._watchers_ended = asyncio.Event()
        self._tell()

    async def __call__(self, request: Request) -> Response:
        try:
            return await self._answer(request)
        except StatusError as error:
            return Response(error.code, orjson.dumps(error.document()))

    async def _answer(self, request: Request) -> Response:
        info = read_request_info(request.method, request.path, request.query)
        if not info.is_resource:
            return Response(200, orjson.dumps(self._discovery(request.path)))
        options = {name: values[-1] for name, values in parse_qs(request.query, keep_blank_values=True).items()}
        body = orjson.loads(request.body) if request.body else {}
        if info.verb == "watch":
            return Response(200, self._watch(info, options))
        if info.verb not in ("get", "list"):
            sub = f"/{info.subresource}" if info.subresource else ""
            self.requests.append((info.verb, info.resource + sub))
        # As behind any real API, others get their turn before the answer.
        await asyncio.sleep(0)
        found = getattr(self, f"_{info.verb}")(info, options, body)
        return Response(201 if info.verb == "create" else 200, orjson.dumps(found))

    def _discovery(self, path: str) -> Document:
        if path == "/apis":
            groups = [name.split("/") for name in SERVED if "/" in name]
            return {
                "groups": [
                    {
                        "name": group,
                        "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
                        "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version},
                    }
                    for group, version in groups
                ]
            }
        name = path.removeprefix("/apis/").removeprefix("/api/")
        if name not in SERVED:
            raise status.path_not_found()
        resources = [
            {"name": plural, "kind": kind, "namespaced": namespaced, "verbs": VERBS}
            for plural, kind, namespaced in SERVED[name]
        ]
        return {"groupVersion": name, "resources": resources}

    # Verbs

    def _key(self, info: RequestInfo, name: str = "") -> Key:
        namespace = "" if info.resource == "namespaces" else info.namespace
        return (info.group, info.resource, namespace, name or info.name)

    def _found(self, info: RequestInfo) -> Document:
        found = self.objects.get(self._key(info))
        if found is None:
            raise status.not_found(qualified(info.group, info.resource), info.name)
        return found

    def _get(self, info: RequestInfo, options: dict[str, str], body: Document) -> Document:
        return self._found(info)

    def _list(self, info: RequestInfo, options: dict[str, str], body: Document) -> Document:
        found = [self.objects[key] for key in sorted(self.objects) if self._selects(info, options, key)]
        api_version = f"{info.group}/{info.version}" if info.group else info.version
        kind = next((kind for plural, kind, _ in SERVED.get(api_version, ()) if plural == info.resource), "Unknown")
        meta = {"resourceVersion": str(self.revision)}
        return {"kind": f"{kind}List", "apiVersion": api_version, "metadata": meta, "items": found}

    def _selects(self, info: RequestInfo, options: dict[str, str], key: Key) -> bool:
        if key[:2] != (info.group, info.resource) or (info.namespace and key[2] != info.namespace):
            return False
        document = self.objects[key]
        labels = document["metadata"].get("labels") or {}
        if not label_selector.parse(options.get("labelSelector", "")).matches(labels):
            return False
        terms = [term.split("=") for term in options.get("fieldSelector", "").split(",") if term]
        return all(_at(document, path) == value for path, value in terms)

    def _create(self, info: RequestInfo, options: dict[str, str], body: Document) -> Document:
        meta = body.setdefault("metadata", {})
        if not meta.get("name"):
            meta["name"] = generate_name(meta["generateName"], self.ids)
        if self.refuse is not None and (error := self.refuse(info, body)):
            raise error
        key = self._key(info, meta["name"])
        if key in self.objects:
            raise status.already_exists(qualified(info.group, info.resource), meta["name"])
        if info.namespace:
            meta["namespace"] = info.namespace
        meta |= {"uid": self.ids.uid(), "creationTimestamp": rfc3339(self.clock.now()), "generation": 1}
        if info.resource == "pods":
            body.setdefault("status", {"phase": "Pending"})
        if info.resource == "namespaces":
            body["spec"] = {"finalizers": ["kubernetes"]}
            body["status"] = {"phase": "Active"}
        return self._store(key, body, "ADDED")

    def _update(self, info: RequestInfo, options: dict[str, str], body: Document) -> Document:
        old = self._found(info)
        version = body["metadata"].get("resourceVersion")
        if version and version != old["metadata"]["resourceVersion"]:
            raise status.conflict(qualified(info.group, info.resource), info.name, status.MODIFIED)
        return self._change(info, old, body)

    def _change(self, info: RequestInfo, old: Document, body: Document) -> Document:
        """What a write to the object or its subresource may change, with its generation."""
        new = copy.deepcopy(body)
        for kept in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace"):
            if kept in old["metadata"]:
                new["metadata"][kept] = old["metadata"][kept]
        if info.subresource == "status":
            new["spec"] = old.get("spec")
        elif info.subresource == "finalize":
            new["status"] = old.get("status")
        elif "status" in old:
            new["status"] = old["status"]
        generation = old["metadata"].get("generation", 1)
        new["metadata"]["generation"] = generation + (new.get("spec") != old.get("spec"))
        if _same(old, new):
            return old
        return self._store_or_remove(self._key(info), new)

    def _patch(self, info: RequestInfo, options: dict[str, str], body: Document) -> Document:
        old = self._found(info)
        uid = (body.get("metadata") or {}).get("uid")
        if uid and uid != old["metadata"]["uid"]:
            raise status.conflict(qualified(info.group, info.resource), info.name, "uid mismatch")
        return self._change(info, old, _merged(old, body))

    def _delete(self, info: RequestInfo, options: dict[str, str], body: Document) -> Document:
        old = self._found(info)
        wanted = (body.get("preconditions") or {}).get("uid")
        if wanted and wanted != old["metadata"]["uid"]:
            uid = old["metadata"]["uid"]
            why = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}"
            raise status.conflict(qualified(info.group, info.resource), info.name, why)
        new = copy.deepcopy(old)
        meta = new["metadata"]
        policy = body.get("propagationPolicy")
        finalizers = meta.get("finalizers") or []
        for name, one in (("Foreground", "foregroundDeletion"), ("Orphan", "orphan")):
            if policy == name and one not in finalizers:
                finalizers = [*finalizers, one]
        if finalizers:
            meta["finalizers"] = finalizers
        grace = body.get("gracePeriodSeconds", 30) if info.resource == "pods" and _at(old, "spec.nodeName") else 0
        if info.resource == "namespaces":
            new["status"] = {**new["status"], "phase": "Terminating"}
        meta.setdefault("deletionTimestamp", rfc3339(self.clock.now()))
        meta["deletionGracePeriodSeconds"] = grace
        if _same(old, new):
            return old
        return self._store_or_remove(self._key(info), new)

    def _deletecollection(self, info: RequestInfo, options: dict[str, str], body: Document) -> Document:
        for key in [key for key in sorted(self.objects) if self._selects(info, options, key)]:
            one = RequestInfo("", "delete", True, info.group, info.version, info.resource, key[2], key[3])
            self._delete(one, {}, body)
        return {"kind": "Status", "status": "Success"}

    # Storage and watches

    def _store_or_remove(self, key: Key, document: Document) -> Document:
        meta = document["metadata"]
        held = meta.get("finalizers") or meta.get("deletionGracePeriodSeconds")
        held = held or (key[1] == "namespaces" and (document.get("spec") or {}).get("finalizers"))
        if meta.get("deletionTimestamp") and not held:
            return self._store(key, document, "DELETED")
        return self._store(key, document, "MODIFIED")

    def _store(self, key: Key, document: Document, type_: str) -> Document:
        revision = self.revision + 1
        document["metadata"]["resourceVersion"] = str(revision)
        if type_ == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = document
        self._changes.append(Change(revision, key, type_, document))
        self._tell()
        return document

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _watch(self, info: RequestInfo, options: dict[str, str]) -> AsyncIterator[bytes]:
        after = int(options.get("resourceVersion") or 0)
        if after < self._compacted:
            error = status.expired(f"too old resource version: {after} ({self._compacted})")
            yield orjson.dumps({"type": "ERROR", "object": error.document()}) + b"\n"
            return
        ended = self._watchers_ended
        position = next((i for i, c in enumerate(self._changes) if c.revision > after), len(self._changes))
        while not ended.is_set():
            while position < len(self._changes):
                change = self._changes[position]
                position += 1
                if change.key[:2] == (info.group, info.resource) and info.namespace in ("", change.key[2]):
                    yield orjson.dumps({"type": change.type, "object": change.document}) + b"\n"
            await self._news.wait()


def _at(document: Document, path: str) -> Any:
    found: Any = document
    for part in path.split("."):
        found = (found or {}).get(part)
    return found or ""


def _same(old: Document, new: Document) -> bool:
    def without_version(document: Document) -> Document:
        meta = {k: v for k, v in document["metadata"].items() if k != "resourceVersion"}
        return {**document, "metadata": meta}

    return without_version(old) == without_version(new)


def _merged(old: Any, patch: Any, name: str = "") -> Any:
    """A merge patch, with strategic merging of the lists controllers patch."""
    if isinstance(patch, dict) and isinstance(old, dict):
        found = dict(old)
        for key, value in patch.items():
            if key.startswith("$deleteFromPrimitiveList/"):
                listed = key.partition("/")[2]
                found[listed] = [each for each in found.get(listed) or () if each not in value]
            elif value is None:
                found.pop(key, None)
            else:
                found[key] = _merged(found.get(key), value, key)
        return found
    if isinstance(patch, list) and MERGE_KEYS.get(name):
        by = MERGE_KEYS[name]
        kept = {item[by]: item for item in old or []}
        for item in patch:
            if item.get("$patch") == "delete":
                kept.pop(item[by], None)
            else:
                kept[item[by]] = _merged(kept.get(item[by]), item)
        return list(kept.values())
    return copy.deepcopy(patch)
