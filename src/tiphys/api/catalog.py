"""Which resources this cluster serves: the kinds, cut down to what the running version's schema has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
    converter: tuple[Converter, Converter] | None = None
    """(from the stored shape to this version's, and back), where the two differ in shape."""

    @property
    def api_version(self) -> str:
        return api_version(self.kind.group, self.version)

    @property
    def stored_group(self) -> str:
        return self.kind.storage[0] if self.kind.storage else self.kind.group

    @property
    def stored_api_version(self) -> str:
        return api_version(self.stored_group, self.stored)

    @property
    def is_stored(self) -> bool:
        """Whether the objects are kept as this version shows them."""
        return self.version == self.stored and self.kind.storage is None

    @property
    def prefix(self) -> str:
        """Where the objects of this kind are kept in the store."""
        group, plural = self.kind.storage or (self.kind.group, self.kind.plural)
        return f"/registry/{group}/{plural}/" if group else f"/registry/{plural}/"

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


def is_on(runtime_config: Mapping[str, bool], group: str, version: str, plural: str) -> bool:
    """Whether a version is served: all but alphas and, since 1.24, new betas, unless `--runtime-config` has it
    otherwise by `group/version/plural`, `group/version`, `api/alpha` (`beta`, `ga`) or `api/all`, in this order."""
    unstable = _UNSTABLE.fullmatch(version)
    level = unstable[1] if unstable else "ga"
    for key in (f"{api_version(group, version)}/{plural}", api_version(group, version), f"api/{level}", "api/all"):
        if key in runtime_config:
            return runtime_config[key]
    return not unstable or (group, version, plural) in _BETAS_ON_BY_DEFAULT


def _with_its_subresources(kind: Kind, minor: int) -> Kind:
    """The kind without the subresources that came later than this minor version."""
    if all(each.since <= minor for each in kind.subresources):
        return kind
    return replace(kind, subresources=tuple(each for each in kind.subresources if each.since <= minor))


def _converter(kind: Kind, version: str, stored: str) -> tuple[Converter, Converter] | None:
    """By way of the kind's storage version, for a cluster that has not got it and stores another."""
    ours, theirs = kind.convert.get(version), kind.convert.get(stored)
    if kind.storage or not theirs:
        return ours
    if ours == theirs:
        return None
    from_stored, to_stored = theirs[1], theirs[0]
    if not ours:
        return from_stored, to_stored
    to_ours, from_ours = ours
    return lambda document: to_ours(from_stored(document)), lambda document: to_stored(from_ours(document))


class Catalog:
    """Every served resource, found by path or by kind. `runtime_config` switches versions on and off: see `is_on`."""

    def __init__(
        self,
        definitions: Definitions,
        kinds: Iterable[Kind],
        runtime_config: Mapping[str, bool] | None = None,
    ) -> None:
        self.definitions = definitions
        self._runtime_config = runtime_config or {}
        self._by_path: dict[tuple[str, str, str], Resource] = {}
        self._by_kind: dict[tuple[str, str, str], Resource] = {}
        self._stored: dict[tuple[str, str], Resource] = {}
        for kind in kinds:
            self._add(replace(kind, columns=kind.columns_at(definitions.minor)))

    def _add(self, kind: Kind) -> None:
        kind = _with_its_subresources(kind, self.definitions.minor)
        found = {v: self.definitions.definition(kind.group, v, kind.kind) for v in kind.versions}
        config = self._runtime_config
        served = [v for v in kind.versions if found[v] and is_on(config, kind.group, v, kind.plural)]
        if not served:
            return
        stored = kind.storage_version if kind.storage_version in served else served[0]
        for version in served:
            resource = Resource(kind, version, stored, found[version] or "", _converter(kind, version, stored))
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
