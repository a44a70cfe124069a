"""Which resources a cluster serves, read from its discovery documents."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client


@dataclass(frozen=True, slots=True)
class ServedResource:
    """One resource in one version; `group` is empty for the core group."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    verbs: frozenset[str]
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True)
class Served:
    """The resources found (no subresources), and what could not be read, by group version."""

    resources: tuple[ServedResource, ...]
    failures: tuple[tuple[str, StatusError], ...] = ()


async def preferred_resources(client: Client) -> Served:
    """Every resource once, in its group's preferred version or else the first version that has it.

    Sorted by group and plural. Raises StatusError if the list of groups cannot be had; a single group version
    that fails is told in `failures` (discovery.ServerPreferredResources).
    """
    group_versions = [("", "v1"), *_group_versions(await client.read("/apis"))]
    found: dict[tuple[str, str], ServedResource] = {}
    failures = []
    for group, version in group_versions:
        name = f"{group}/{version}" if group else version
        try:
            listed = await client.read(f"/apis/{name}" if group else f"/api/{name}")
        except StatusError as error:
            failures.append((name, error))
            continue
        for entry in listed.get("resources") or ():
            if "/" not in entry["name"]:
                found.setdefault((group, entry["name"]), _resource(group, version, entry))
    return Served(tuple(found[key] for key in sorted(found)), tuple(failures))


def _group_versions(groups: Document) -> list[tuple[str, str]]:
    """(group, version), the preferred version of a group first."""
    pairs = []
    for group in groups.get("groups") or ():
        preferred = (group.get("preferredVersion") or {}).get("version")
        versions = [entry["version"] for entry in group.get("versions") or ()]
        pairs += [(group["name"], version) for version in sorted(versions, key=lambda v: v != preferred)]
    return pairs


def _resource(group: str, version: str, entry: Document) -> ServedResource:
    return ServedResource(
        entry.get("group") or group,
        entry.get("version") or version,
        entry["name"],
        entry["kind"],
        bool(entry.get("namespaced")),
        frozenset(entry.get("verbs") or ()),
        tuple(entry.get("shortNames") or ()),
    )
