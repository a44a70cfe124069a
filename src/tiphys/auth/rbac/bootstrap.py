"""The default roles and bindings are put into the store at start, and completed where something was taken from them
(kubernetes `pkg/registry/rbac/rest/storage_rbac.go`, component-helpers `auth/rbac/reconciliation`).

What was added to them stays; an object whose annotation `rbac.authorization.kubernetes.io/autoupdate` says "false" is
left alone. They are written past admission and validation, all at once so that they share one commit.
"""

from __future__ import annotations

import asyncio

import orjson

from tiphys.api.catalog import Catalog, Resource
from tiphys.api.encoding import encode
from tiphys.api.facts import facts_of
from tiphys.auth.rbac.coverage import missing
from tiphys.auth.rbac.known_policy import GROUP
from tiphys.auth.rbac.policy_file import AUTOUPDATE, default_policy
from tiphys.base.clock import Clock, rfc3339
from tiphys.base.document import Document
from tiphys.base.names import Ids
from tiphys.store.contract import KeyExists, KeyMissing, Record, RevisionMismatch, Store


class Bootstrap:
    """Reconciles the default policy of one minor version."""

    def __init__(self, store: Store, catalog: Catalog, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._ids = ids

    async def run(self) -> int:
        """Returns how many objects were written. The system namespaces must be there. Raises StoreFailure."""
        roles, bindings = default_policy(self._catalog.definitions.minor)
        page = await self._store.list(f"/registry/{GROUP}/")
        records = {record.key: record for record in page.records}
        writes = [self._write(document, records) for document in (*roles, *bindings)]
        return sum(await asyncio.gather(*(write for write in writes if write is not None)))

    def _write(self, expected: Document, records: dict[str, Record]) -> asyncio.Future[int] | None:
        """The write this object needs, if it needs one."""
        resource = self._resource(expected)
        metadata = expected["metadata"]
        key = resource.key(metadata.get("namespace", ""), metadata["name"])
        record = records.get(key)
        if record is None:
            return asyncio.ensure_future(self._create(resource, key, expected))
        existing = orjson.loads(record.value)
        if (existing["metadata"].get("annotations") or {}).get(AUTOUPDATE) == "false":
            return None
        wanted = reconciled_binding(existing, expected) if "roleRef" in expected else reconciled(existing, expected)
        return asyncio.ensure_future(self._replace(resource, record, existing, wanted)) if wanted else None

    def _resource(self, document: Document) -> Resource:
        resource = self._catalog.stored(GROUP, f"{document['kind'].lower()}s")
        assert resource is not None  # the group is in every version
        return resource

    async def _create(self, resource: Resource, key: str, document: Document) -> int:
        metadata = document["metadata"]
        metadata["uid"] = self._ids.uid()
        metadata["creationTimestamp"] = rfc3339(self._clock.now())
        try:
            await self._store.create(key, encode(document), facts_of(resource.kind, document))
        except KeyExists:
            return 0
        return 1

    async def _replace(self, resource: Resource, record: Record, existing: Document, wanted: Document) -> int:
        """Another's write meanwhile wins; the next start looks again. A new role means a new binding."""
        try:
            if wanted.get("roleRef") != existing.get("roleRef"):
                await self._store.delete(record.key, expected=record.revision)
                return await self._create(resource, record.key, wanted)
            facts = facts_of(resource.kind, wanted)
            await self._store.update(record.key, encode(wanted), facts, expected=record.revision)
        except (KeyMissing, RevisionMismatch):
            return 0
        return 1


def reconciled(existing: Document, expected: Document) -> Document | None:
    """The role with what it lacks, None when it lacks nothing (computeReconciledRole, keeping what is extra)."""
    role = {**existing, "metadata": _metadata(existing, expected)}
    held = existing.get("rules") or []
    lacking = [] if held == expected["rules"] else missing(held, expected["rules"] or ())
    if lacking:
        role["rules"] = [*held, *lacking]
    aggregation = _aggregation(existing.get("aggregationRule"), expected.get("aggregationRule"))
    role.pop("aggregationRule", None)
    if aggregation:
        role["aggregationRule"] = aggregation
    return None if role == existing else role


def reconciled_binding(existing: Document, expected: Document) -> Document | None:
    """The binding with the subjects it lacks (computeReconciledRoleBinding); of another role, a new one."""
    if existing.get("roleRef") != expected["roleRef"]:
        return expected
    binding = {**existing, "metadata": _metadata(existing, expected)}
    held = existing.get("subjects") or []
    lacking = [subject for subject in expected.get("subjects") or () if subject not in held]
    if lacking:
        binding["subjects"] = [*held, *lacking]
    return None if binding == existing else binding


def _metadata(existing: Document, expected: Document) -> Document:
    """Labels and annotations there are stay as they are, those that are missing are added."""
    metadata = dict(existing["metadata"])
    for name in ("annotations", "labels"):
        metadata[name] = {**expected["metadata"][name], **(metadata.get(name) or {})}
    return metadata


def _aggregation(existing: Document | None, expected: Document | None) -> Document | None:
    if not expected or not existing:
        return expected
    held = existing.get("clusterRoleSelectors") or []
    lacking = [selector for selector in expected["clusterRoleSelectors"] if selector not in held]
    return {**existing, "clusterRoleSelectors": [*held, *lacking]} if lacking else existing
