"""A shared store of documents by key, with secondary indexes (client-go `tools/cache` Indexer)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from tiphys.base.document import Document

IndexFunction = Callable[[Document], Iterable[str]]
_NONE: Mapping[str, Document] = MappingProxyType({})


class Indexer:
    """`items` by key; `indexed(name, value)` the documents whose index function gave that value."""

    def __init__(self) -> None:
        self.items: dict[str, Document] = {}
        self._functions: dict[str, IndexFunction] = {}
        self._indexes: dict[str, dict[str, dict[str, Document]]] = {}

    def add_index(self, name: str, function: IndexFunction) -> None:
        """Index by the strings `function` gives for a document. An index of that name stays as it is."""
        if name in self._functions:
            return
        self._functions[name] = function
        index = self._indexes[name] = {}
        for key, document in self.items.items():
            _insert(index, function(document), key, document)

    def indexed(self, name: str, value: str) -> Mapping[str, Document]:
        """Key → document, not to be changed nor kept across an await. Unordered as far as callers may tell."""
        return self._indexes[name].get(value, _NONE)

    def put(self, key: str, document: Document) -> Document | None:
        """Set the document; returns what it replaces."""
        old = self.items.get(key)
        self.items[key] = document
        for name, function in self._functions.items():
            index = self._indexes[name]
            if old is not None:
                _remove(index, set(function(old)) - set(function(document)), key)
            _insert(index, function(document), key, document)
        return old

    def discard(self, key: str) -> Document | None:
        """Forget the document; returns it."""
        old = self.items.pop(key, None)
        if old is not None:
            for name, function in self._functions.items():
                _remove(self._indexes[name], function(old), key)
        return old


def _insert(index: dict[str, dict[str, Document]], values: Iterable[str], key: str, document: Document) -> None:
    for value in values:
        index.setdefault(value, {})[key] = document


def _remove(index: dict[str, dict[str, Document]], values: Iterable[str], key: str) -> None:
    for value in values:
        under = index.get(value)
        if under is not None:
            under.pop(key, None)
            if not under:
                del index[value]
