"""JSON merge patch: RFC 7386's own table of examples, and evanphx/json-patch v4 `merge.go`."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tiphys.base.status import StatusError
from tiphys.schema import merge_patch
from tiphys.schema.patch_body import merge_patch as read


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({"a": 1}, {"a": [{"b": None, "c": 1}, None]}, {"a": [{"c": 1}, None]}),
    ],
)
def test_merging(document: Any, patch: Any, expected: Any) -> None:
    before = copy.deepcopy((document, patch))
    assert merge_patch.apply(document, patch) == expected
    assert (document, patch) == before


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "invalid JSON patch"),
        (b"null", "Invalid JSON Patch"),
        (b"[]", "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"),
    ],
)
def test_bodies_that_are_no_patch(body: bytes, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        read(body)
    assert (caught.value.code, caught.value.message) == (400, message)


def test_fields_given_twice_are_found() -> None:
    assert read(b'{"a":{"b":[{"c":1,"c":2}]}}') == ({"a": {"b": [{"c": 2}]}}, ['duplicate field "a.b[0].c"'])
