"""Which resources this cluster serves: the kinds, cut down to what the running version's schema has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from tiphys.api.kind import Converter, Kind
from tiphys.schema.definitions import Definitions


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind in one served version, and the version it is stored in."""

    kind: Kind
    version: str
    stored: str
    definition: str
    """The schema definition's name in this version, `io.k8s.api.core.v1.Pod`."""

    @property
    def api_version(self) -> str:
        return api_version(self.kind.group, self.version)

    @property
    def prefix(self) -> str:
        """Where the objects of this kind are kept in the store."""
        group, plural = self.kind.storage or (self.kind.group, self.kind.plural)
        return f"/registry/{group}/{plural}/" if group else f"/registry/{plural}/"

    @property
    def converter(self) -> tuple[Converter, Converter] | None:
        """(from the stored shape to this version's, and back), where the two differ in shape."""
        if self.version == self.stored and self.kind.storage is None:
            return None
        return self.kind.convert.get(self.version)

    def key(self, namespace: str, name: str) -> str:
        return f"{self.prefix}{namespace}/{name}" if self.kind.namespaced else f"{self.prefix}{name}"


def api_version(group: str, version: str) -> str:
    """`v1`, `apps/v1`."""
    return f"{group}/{version}" if group else version


_UNSTABLE = re.compile(r"v\d+(alpha|beta)\d+")

_BETAS_ON_BY_DEFAULT = {
    ("autoscaling", "v2beta2", "horizontalpodautoscalers"),
    ("storage.k8s.io", "v1beta1", "csistoragecapacities"),
    *(
        ("flowcontrol.apiserver.k8s.io", version, plural)
        for version in ("v1beta1", "v1beta2", "v1beta3")
        for plural in ("flowschemas", "prioritylevelconfigurations")
    ),
}
"""Betas older than the rule that betas are off (controlplane `legacyBetaEnabledByDefaultResources`)."""


def on_by_default(group: str, version: str, plural: str) -> bool:
    """Whether a version is served without `--runtime-config`: all but alphas and, since 1.24, new betas."""
    return not _UNSTABLE.fullmatch(version) or (group, version, plural) in _BETAS_ON_BY_DEFAULT


class Catalog:
    """Every served resource, found by path or by kind. `enabled(group, version, plural)` chooses versions."""

    def __init__(
        self,
        definitions: Definitions,
        kinds: Iterable[Kind],
        enabled: Callable[[str, str, str], bool] = on_by_default,
    ) -> None:
        self.definitions = definitions
        self._enabled = enabled
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str, str], Resource] = {}
        self._stored: dict[tuple[str, str], Resource] = {}
        for kind in kinds:
            self._add(kind)

    def _add(self, kind: Kind) -> None:
        kind = replace(kind, columns=kind.columns_at(self.definitions.minor))
        found = {v: self.definitions.definition(kind.group, v, kind.kind) for v in kind.versions}
        served = [v for v in kind.versions if found[v] and self._enabled(kind.group, v, kind.plural)]
        if not served:
            return
        stored = kind.storage_version if kind.storage_version in served else served[0]
        for version in served:
            resource = Resource(kind, version, stored, found[version] or "")
            self._by_path[kind.group, version, kind.plural] = resource
            self._by_kind[kind.group, version, kind.kind] = resource
            if version == stored:
                self._stored[kind.group, kind.plural] = resource

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        return self._by_path.get((group, version, plural))

    def find_kind(self, group: str, version: str, kind: str) -> Resource | None:
        return self._by_kind.get((group, version, kind))

    def stored(self, group: str, plural: str) -> Resource | None:
        """The resource in its storage version."""
        return self._stored.get((group, plural))

    def resources(self) -> list[Resource]:
        """Every resource in every served version, in the order the kinds were given."""
        return list(self._by_path.values())
