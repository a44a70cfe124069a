"""Upstream's definitions of one Kubernetes version, as the kubernetes-validate package ships them.

One JSON file a version, 1 to 2 MB, read once and parsed in 5 to 15 ms. Only the package's data is used: its code is
never imported.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import orjson

from tiphys.base.document import Document

SUPPORTED_MINORS = range(25, 38)
"""Kubernetes 1.25 to 1.37."""

REF = "#/$defs/"
"""How one definition refers to another in this packaging."""

_DATA = "kubernetes-json-schema/v1.{minor}.0-local/_definitions.json"

GroupVersionKind = tuple[str, str, str]


class Definitions:
    """The definitions of one version: definition name (`io.k8s.api.core.v1.Pod`) to JSON schema. Never changed."""

    def __init__(self, minor: int, raw: dict[str, Document]) -> None:
        self.minor = minor
        self.raw = raw
        self._names = _by_kind(raw)

    @classmethod
    def load(cls, minor: int) -> Definitions:
        """The definitions of 1.`minor`, shared by all callers. Raises ValueError for a version there is none of."""
        if minor not in SUPPORTED_MINORS:
            first, last = SUPPORTED_MINORS[0], SUPPORTED_MINORS[-1]
            raise ValueError(f"Kubernetes 1.{minor} is not supported: choose a version from 1.{first} to 1.{last}")
        return _load(minor)

    @property
    def git_version(self) -> str:
        """As `/version` tells it: `v1.37.0`."""
        return f"v1.{self.minor}.0"

    def definition(self, group: str, version: str, kind: str) -> str | None:
        """The name of the kind's definition, None if this version does not have the kind."""
        return self._names.get((group, version, kind))

    def kinds(self) -> list[GroupVersionKind]:
        """Every (group, version, kind) this version defines, sorted; lists and options types included."""
        return sorted(self._names)


@cache
def _load(minor: int) -> Definitions:
    spec = importlib.util.find_spec("kubernetes_validate")
    if spec is None or not spec.submodule_search_locations:
        raise ValueError("the package kubernetes-validate, which holds the definitions, is not installed")
    path = Path(spec.submodule_search_locations[0]) / _DATA.format(minor=minor)
    return Definitions(minor, orjson.loads(path.read_bytes())["$defs"])


def _by_kind(raw: Mapping[str, Document]) -> dict[GroupVersionKind, str]:
    return {
        (known["group"], known["version"], known["kind"]): name
        for name, schema in raw.items()
        for known in schema.get("x-kubernetes-group-version-kind", ())
    }
