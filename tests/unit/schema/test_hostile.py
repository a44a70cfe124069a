"""Whatever comes in, nothing but StatusError comes out, and what comes out can be written and read again. Ours."""

from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.schema import json_patch, merge_patch, patch_body, strategic_merge
from tiphys.schema.decode import Decoder
from tiphys.schema.definitions import Definitions

DEFINITIONS = Definitions.load(37)
DECODER = Decoder(DEFINITIONS)
KINDS = [kind for kind in DEFINITIONS.kinds() if not kind[2].endswith("List") and kind[2] != "WatchEvent"]
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

NAMES = [
    "metadata",
    "name",
    "spec",
    "template",
    "containers",
    "status",
    "labels",
    "ports",
    "data",
    "rules",
    "items",
    "a/b",
]
NAMES += ["$patch", "$retainKeys", "$setElementOrder/containers", "$deleteFromPrimitiveList/finalizers", "finalizers"]
NAMES += ["$setElementOrder/", "$setElementOrder", "$deleteFromPrimitiveList", "conditions", "type", "env", "volumes"]
WORDS = ["", "a", "delete", "replace", "merge", "1", "500m", "2024-01-01T00:00:00Z", "YQ==", "\x00", "é"]
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(allow_nan=False), st.sampled_from(WORDS)
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)),
    max_leaves=25,
)
documents = st.dictionaries(st.sampled_from(NAMES), values, max_size=6)


def is_canonical(document: Document, kind: tuple[str, str, str]) -> None:
    """It can be written, and reading that gives the same again."""
    again, warnings = DECODER.decode(orjson.dumps(document), *kind)
    assert again == document
    assert warnings == []


@given(text=st.binary(max_size=200), kind=st.sampled_from(KINDS))
@QUICK
def test_any_bytes(text: bytes, kind: tuple[str, str, str]) -> None:
    for read in (DECODER.decode, DECODER.decode_yaml):
        try:
            document, _ = read(text, *kind)
        except StatusError as error:
            assert error.code == 400
        else:
            is_canonical(document, kind)


@given(text=st.text(alphabet='{}[]":,\\u0012e+-.tfnab \n#&*!|>?', max_size=60))
@QUICK
def test_text_that_is_nearly_json_or_yaml(text: str) -> None:
    for read in (DECODER.decode, DECODER.decode_yaml):
        try:
            read(text.encode(), "", "v1", "ConfigMap")
        except StatusError as error:
            assert error.code == 400


def shaped(schema: Document, depth: int = 6) -> st.SearchStrategy[Any]:
    """Values that mostly fit a schema, with others strewn in."""
    schema = DEFINITIONS.raw[schema["$ref"].removeprefix("#/$defs/")] if "$ref" in schema else schema
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if depth and "properties" in schema:
        fields = schema["properties"]
        chosen = st.sampled_from(sorted(fields)).flatmap(
            lambda name: st.tuples(st.just(name), st.deferred(lambda: shaped(fields[name], depth - 1)))
        )
        return st.one_of(st.lists(chosen, max_size=3).map(dict), values)
    if depth and kind == "array":
        return st.one_of(st.lists(st.deferred(lambda: shaped(schema["items"], depth - 1)), max_size=3), scalars)
    if depth and kind == "object" and "additionalProperties" in schema:
        inner = st.deferred(lambda: shaped(schema["additionalProperties"], depth - 1))
        return st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    return scalars if kind else values


@given(data=st.data())
@QUICK
def test_documents_that_nearly_fit_any_kind(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    value = data.draw(shaped(DEFINITIONS.raw[DEFINITIONS.definition(*kind) or ""]))
    if isinstance(value, dict):
        value = {**value, "apiVersion": f"{kind[0]}/{kind[1]}".removeprefix("/"), "kind": kind[2]}
    try:
        document, _ = DECODER.decode(orjson.dumps(value), *kind)
    except StatusError as error:
        assert error.code == 400
    else:
        is_canonical(document, kind)


POD = "io.k8s.api.core.v1.Pod"


@given(data=st.data())
@QUICK
def test_any_strategic_merge_patch(data: st.DataObject) -> None:
    document = data.draw(
        st.one_of(shaped(DEFINITIONS.raw[POD]), documents).filter(lambda value: isinstance(value, dict))
    )
    patch = data.draw(st.one_of(shaped(DEFINITIONS.raw[POD]), documents))
    before = copy.deepcopy((document, patch))
    try:
        strategic_merge.apply(DEFINITIONS, POD, document, patch)
    except StatusError as error:
        assert error.code in (400, 422)
    assert (document, patch) == before


@given(document=documents, patch=values)
@QUICK
def test_any_merge_patch(document: Document, patch: Any) -> None:
    before = copy.deepcopy((document, patch))
    try:
        orjson.dumps(merge_patch.apply(document, patch))
    except StatusError as error:
        assert error.code == 400
    assert (document, patch) == before


paths = st.lists(st.sampled_from(["", "a", "0", "1", "-", "-1", "~1", "~", *NAMES[:5]]), max_size=4).map(
    lambda parts: "".join(f"/{part}" for part in parts)
)
operations = st.fixed_dictionaries(
    {},
    optional={
        "op": st.one_of(st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]), scalars),
        "path": st.one_of(paths, scalars),
        "from": st.one_of(paths, scalars),
        "value": values,
    },
)


@given(document=documents, patch=st.one_of(st.lists(st.one_of(operations, scalars), max_size=6), values))
@QUICK
def test_any_json_patch(document: Document, patch: Any) -> None:
    before = copy.deepcopy((document, patch))
    try:
        json_patch.apply(document, patch)
    except StatusError as error:
        assert error.code in (400, 413, 422)
    assert (document, patch) == before


@given(text=st.one_of(st.binary(max_size=50), values.map(orjson.dumps), st.lists(operations).map(orjson.dumps)))
@QUICK
@pytest.mark.parametrize("read", [patch_body.json_patch, patch_body.merge_patch, patch_body.strategic_merge_patch])
def test_any_patch_body(read: Any, text: bytes) -> None:
    try:
        read(text)
    except StatusError as error:
        assert error.code == 400
