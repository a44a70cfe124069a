"""Objects counted one by one: any resource (apiserver `pkg/quota/v1/generic/evaluator.go`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.base.quantity import from_value
from tiphys.resource.quota.evaluator import CREATE, object_count_name
from tiphys.resource.resource_list import ResourceList

ONE = from_value(1)


@dataclass(frozen=True, slots=True)
class ObjectCount:
    """Counts `count/<plural>.<group>`, and the `alias` that quotas knew before there was that spelling."""

    group: str
    plural: str
    alias: str = ""

    def handles(self, operation: str, subresource: str, new: Document | None, old: Document | None) -> bool:
        return operation == CREATE and not subresource

    def matching(self, names: Iterable[str]) -> list[str]:
        return sorted(set(names) & set(self._names()))

    def in_scope(self, requirement: Document, document: Document) -> bool:
        return False

    def missing(self, required: Iterable[str], document: Document) -> str:
        return ""

    def usage(self, document: Document, now: float) -> ResourceList:
        return dict.fromkeys(self._names(), ONE)

    def _names(self) -> tuple[str, ...]:
        name = object_count_name(self.group, self.plural)
        return (name, self.alias) if self.alias else (name,)
