"""Hooks take any document of the right types, however much of it is missing (ours: no input may end in a 500)."""

import copy
import random
from typing import Any

import orjson
import pytest

from tiphys.api.catalog import api_version
from tiphys.api.kind import Context, Kind
from tiphys.base.clock import SystemClock
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.base.names import RandomIds
from tiphys.base.status import StatusError
from tiphys.base.user import User
from tiphys.schema.decode import IGNORE, Decoder
from tiphys.schema.definitions import REF, Definitions

KINDS: list[Kind] = discover("tiphys.kinds", "KIND")
STRINGS = (
    "",
    "a",
    "x.example.com/y",
    "None",
    "10.0.0.1",
    "2001:db8::1",
    "10.0.0.0/8",
    "Container",
    "IPv4",
    "é",
    "%",
    "..",
)
TIMES = ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000001Z")
QUANTITIES = ("1", "-1", "0.5", "1500m", "2Gi", "1e3", "100n")
DEEPEST = 7


def context(minor: int = 37) -> Context:
    return Context(SystemClock(), RandomIds(random.Random(1)), User("u"), minor, "default")


class Maker:
    """Random documents of a definition's type: every property may be there, be null or be missing."""

    def __init__(self, definitions: Definitions, seed: int) -> None:
        self.raw, self.random = definitions.raw, random.Random(seed)

    def of(self, schema: Document, depth: int = 0) -> Any:
        reference = schema.get("$ref")
        if reference:
            name = reference.removeprefix(REF)
            if name.endswith(".Quantity"):
                return self.random.choice(QUANTITIES)
            if name.endswith(("Time", "MicroTime")):
                return self.random.choice(TIMES)
            if name.endswith(".IntOrString"):
                return self.random.choice((0, 80, "http", ""))
            return self.of(self.raw[name], depth)
        types = schema.get("type") or ["object"]
        type_ = types if isinstance(types, str) else next(t for t in types if t != "null")
        return getattr(self, f"_{type_}")(schema, depth)

    def _string(self, schema: Document, depth: int) -> str:
        if schema.get("format") == "byte":
            return self.random.choice(("", "eA==", "e30="))
        return self.random.choice((*schema.get("enum", ()), *STRINGS))

    def _integer(self, schema: Document, depth: int) -> int:
        return self.random.choice((0, 1, -1, 80, 70000, 2**31 - 1))

    def _number(self, schema: Document, depth: int) -> float:
        return self.random.choice((0, 1.5))

    def _boolean(self, schema: Document, depth: int) -> bool:
        return self.random.random() < 0.5

    def _array(self, schema: Document, depth: int) -> list[Any]:
        few = 0 if depth > DEEPEST else self.random.randrange(3)
        return [self.of(schema.get("items") or {}, depth + 1) for _ in range(few)]

    def _object(self, schema: Document, depth: int) -> Document:
        made: Document = {}
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict) and depth <= DEEPEST:
            made = {
                name: self.of(extra, depth + 1) for name in self.random.sample(("cpu", "storage", "a b", "x/y"), 2)
            }
        for name, found in (schema.get("properties") or {}).items():
            chance = self.random.random()
            if chance < 0.5 and depth <= DEEPEST:
                made[name] = self.of(found, depth + 1)
            elif chance < 0.6:
                made[name] = None
        return made


class Source:
    """Documents of a kind as bodies bring them: made at random, then decoded as the API decodes them."""

    def __init__(self, kind: Kind) -> None:
        self.kind, self.version = kind, kind.storage_version
        self.minor = next(m for m in (37, 31, 30, 28, 26) if self._definition(m))
        self.decoder = Decoder(Definitions.load(self.minor))
        self.refused = 0

    def _definition(self, minor: int) -> str | None:
        return Definitions.load(minor).definition(self.kind.group, self.version, self.kind.kind)

    def document(self, maker: Maker) -> Document:
        """One that decodes; for a view, in the shape it is kept in."""
        kind = self.kind
        schema = maker.raw[self._definition(self.minor) or ""]
        head = {"apiVersion": api_version(kind.group, self.version), "kind": kind.kind}
        for _ in range(50):
            body = orjson.dumps({**maker.of(schema), **head})
            try:
                document, _ = self.decoder.decode(body, kind.group, self.version, kind.kind, validation=IGNORE)
            except StatusError:
                self.refused += 1
            else:
                return kind.convert[self.version][1](document) if kind.storage else document
        raise AssertionError(f"no document of {kind.kind} decodes")


def run(kind: Kind, new: Document, old: Document, where: Context) -> None:
    """Every hook, in the order that writes call them."""
    for document in (new, old):
        document["metadata"] = {"name": "a", **(document.get("metadata") or {})}
        if kind.default:
            kind.default(document, where)
            once = copy.deepcopy(document)
            kind.default(document, where)
            assert document == once, "default is not idempotent"
    created = copy.deepcopy(new)
    if kind.prepare_create:
        kind.prepare_create(created, where)
    if kind.validate:
        list(map(str, kind.validate(created, where)))
        list(map(str, kind.validate(new, where)))
    for prepare, validate in (
        (kind.prepare_update, kind.validate_update),
        (kind.prepare_status, kind.validate_status),
    ):
        changed = copy.deepcopy(new)
        if prepare:
            prepare(changed, old, where)
        if validate:
            list(map(str, validate(changed, old, where)))
    if kind.fields:
        assert all(isinstance(value, str) for value in kind.fields(new).values())
    for column in kind.columns:
        column.cell(new, 1.8e9)
    if kind.warnings:
        kind.warnings(new, old)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.kind}.{kind.group}")
def test_nothing_raises(kind: Kind) -> None:
    source = Source(kind)
    for seed in range(30):
        maker = Maker(Definitions.load(source.minor), seed)
        run(kind, source.document(maker), source.document(maker), context(source.minor))
