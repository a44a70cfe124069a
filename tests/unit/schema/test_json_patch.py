"""JSON patch. Expectations are RFC 6902's examples and evanphx/json-patch v4 `patch_test.go`."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tiphys.base.status import StatusError
from tiphys.schema import json_patch
from tiphys.schema.patch_body import json_patch as read


def op(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **more}


@pytest.mark.parametrize(
    ("document", "operations", "expected"),
    [
        ({"foo": "bar"}, [op("add", "/baz", value="qux")], {"foo": "bar", "baz": "qux"}),
        ({"foo": ["a", "c"]}, [op("add", "/foo/1", value="b")], {"foo": ["a", "b", "c"]}),
        ({"foo": ["a"]}, [op("add", "/foo/-", value=["b"])], {"foo": ["a", ["b"]]}),
        ({"foo": ["a", "b"]}, [op("add", "/foo/-1", value="c")], {"foo": ["a", "b", "c"]}),
        ({"foo": ["a", "b"]}, [op("remove", "/foo/-1")], {"foo": ["a"]}),
        ({"a": 1, "b": 2}, [op("remove", "/a")], {"b": 2}),
        ({"a": 1}, [op("replace", "/a", value=2)], {"a": 2}),
        ({"a": 1}, [op("replace", "/new", value=2)], {"a": 1, "new": 2}),
        ({"a": 1}, [op("replace", "", value={"b": 2})], {"b": 2}),
        ({"a": {"x": 1}, "b": {}}, [op("move", "/b/y", **{"from": "/a/x"})], {"a": {}, "b": {"y": 1}}),
        ({"a": [1, 2, 3]}, [op("move", "/a/0", **{"from": "/a/2"})], {"a": [3, 1, 2]}),
        (
            {"a": {"x": [1]}},
            [op("copy", "/b", **{"from": "/a"}), op("add", "/b/x/-", value=2)],
            {"a": {"x": [1]}, "b": {"x": [1, 2]}},
        ),
        ({"a/b": 1, "m~n": 2}, [op("test", "/a~1b", value=1), op("remove", "/m~0n")], {"a/b": 1}),
        (
            {"a": {"b": [1, {"c": None}]}},
            [op("test", "/a", value={"b": [1, {"c": None}]})],
            {"a": {"b": [1, {"c": None}]}},
        ),
        ({"a": 1}, [op("test", "/none", value=None)], {"a": 1}),
        ({"a": 1}, [op("add", "/b")], {"a": 1, "b": None}),
        ({"": 1}, [op("replace", "/", value=2)], {"": 2}),
    ],
)
def test_operations(document: Any, operations: list[Any], expected: Any) -> None:
    before = copy.deepcopy((document, operations))
    assert json_patch.apply(document, operations) == expected
    assert (document, operations) == before


@pytest.mark.parametrize(
    "operation",
    [
        op("add", "/a/b/c", value=1),
        op("add", "/list/9", value=1),
        op("add", "/list/x", value=1),
        op("add", "x", value=1),
        op("remove", "/none"),
        op("remove", "/list/3"),
        op("replace", "/list/3", value=1),
        op("replace", "", value=1),
        op("test", "/a", value=2),
        op("test", "/a", value=True),
        op("test", "/none", value=1),
        op("move", "/b"),
        op("copy", "/b", **{"from": "/no/where"}),
        op("frobnicate", "/a"),
        {"op": "remove"},
        {},
        3,
    ],
)
def test_what_does_not_apply_is_a_422_without_details(operation: Any) -> None:
    # handlers/patch.go: errors.NewGenericServerResponse(http.StatusUnprocessableEntity, ...)
    with pytest.raises(StatusError) as caught:
        json_patch.apply({"a": 1, "list": [1, 2, 3]}, [operation])
    assert (caught.value.code, caught.value.reason) == (422, "Invalid")
    assert caught.value.message == "the server rejected our request due to an error in our request"


def test_too_many_operations() -> None:
    # handlers/patch.go maxJSONPatchOperations
    with pytest.raises(StatusError) as caught:
        json_patch.apply({}, [op("test", "", value={})] * 10001)
    assert caught.value.code == 413
    assert caught.value.message == (
        "Request entity is too large: The allowed maximum operations in a JSON patch is 10000, got 10001"
    )


def test_copies_that_double_end_early() -> None:
    # the limit is ours
    doubling = [op("copy", "/a/-", **{"from": "/a"})] * 60
    with pytest.raises(StatusError) as caught:
        json_patch.apply({"a": ["x" * 100]}, doubling)
    assert caught.value.code == 422


def test_ten_thousand_operations_are_quick_enough() -> None:
    operations = [op("add", f"/spec/list/{n}", value=n) for n in range(10000)]
    assert len(json_patch.apply({"spec": {"list": []}}, operations)["spec"]["list"]) == 10000


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "invalid JSON patch"),
        (b"{}", "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"),
        (b"[3]", "error decoding patch: json: cannot unmarshal number into Go value of type handlers.jsonPatchOp"),
        (
            b'[{"op":3}]',
            "error decoding patch: json: cannot unmarshal number into Go struct field jsonPatchOp.op of type string",
        ),
    ],
)
def test_bodies_that_are_no_patch(body: bytes, message: str) -> None:
    with pytest.raises(StatusError) as caught:
        read(body)
    assert (caught.value.code, caught.value.message) == (400, message)


def test_strict_findings_in_a_body() -> None:
    # handlers/patch.go applyJSPatch: "json patch %v"
    operations, found = read(b'[{"op":"add","path":"/a","foo":1,"value":{"x":1,"x":2}}]')
    assert operations == [{"op": "add", "path": "/a", "foo": 1, "value": {"x": 2}}]
    assert found == ['json patch unknown field "[0].foo"', 'json patch duplicate field "[0].value.x"']
