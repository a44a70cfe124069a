"""Strategic merge patch: every pair in tests/golden/strategic_merge, and what upstream refuses.

The first lines of each `*.input.yaml` say where its expectation comes from; `patch_test.go` is that of apimachinery
`pkg/util/strategicpatch`. The outputs are written by hand from upstream's tests: there is no flag to renew them.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from tiphys.base.status import StatusError
from tiphys.schema import strategic_merge
from tiphys.schema.decode import Decoder
from tiphys.schema.definitions import Definitions
from tiphys.schema.patch_body import strategic_merge_patch as read

GOLDEN = Path(__file__).parents[2] / "golden" / "strategic_merge"
NAMES = sorted(path.name.removesuffix(".input.yaml") for path in GOLDEN.glob("*.input.yaml"))
DEFINITION = {
    "Deployment": "io.k8s.api.apps.v1.Deployment",
    "Pod": "io.k8s.api.core.v1.Pod",
    "ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "Service": "io.k8s.api.core.v1.Service",
}


def load(name: str, part: str) -> Any:
    return yaml.safe_load((GOLDEN / f"{name}.{part}.yaml").read_text())


def merged(kind: str, document: Any, patch: Any, minor: int = 37) -> Any:
    return strategic_merge.apply(Definitions.load(minor), DEFINITION[kind], document, patch)


@pytest.mark.parametrize("minor", [25, 37])
@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str, minor: int) -> None:
    document, patch = load(name, "input"), load(name, "patch")
    before = copy.deepcopy((document, patch))
    kind = document["kind"]
    expected = load(name, "output")
    if patch.get("$patch"):
        del expected["kind"]
    assert merged(kind, document, patch, minor) == expected
    assert (document, patch) == before


def test_golden_pairs_are_complete() -> None:
    assert len(NAMES) >= 20
    assert len(list(GOLDEN.iterdir())) == 3 * len(NAMES)


CONTAINERS = {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}}


@pytest.mark.parametrize(
    ("document", "patch", "message"),
    [
        (
            CONTAINERS,
            {"spec": {"containers": [{"image": "x"}]}},
            "map: map[image:x] does not contain declared merge key: name",
        ),
        (
            CONTAINERS,
            {"spec": {"containers": [{"$patch": "delete"}]}},
            "map: map[$patch:delete] does not contain declared merge key: name",
        ),
        (
            CONTAINERS,
            {"spec": {"containers": [{"$patch": "merge"}]}},
            "merging lists cannot yet be specified in the patch",
        ),
        (
            CONTAINERS,
            {"spec": {"$patch": "other", "a": 1}},
            "unknown patch type: other in map: map[$patch:other a:1]",
        ),
        (
            CONTAINERS,
            {"spec": {"containers": ["x"]}},
            "list element types are not identical: [[map[name:a] map[name:b]] [x]]",
        ),
        (
            CONTAINERS,
            {
                "spec": {
                    "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
                    "containers": [{"name": "a"}, {"name": "b"}],
                }
            },
            "The order in patch list:\n[map[name:a] map[name:b]]\n doesn't match $setElementOrder list:\n"
            "[map[name:b] map[name:a]]\n",
        ),
        (
            CONTAINERS,
            {"spec": {"$setElementOrder/containers": "x"}},
            "expected a []interface {}, but received a string",
        ),
        (CONTAINERS, {"spec": {"$setElementOrder": []}}, "invalid patch format of setElementOrder list"),
        (CONTAINERS, {"spec": {"$deleteFromPrimitiveList": []}}, "invalid patch format of primitive list"),
        (CONTAINERS, {"spec": {"$retainKeys": "x"}}, "invalid patch format of retainKeys"),
        (CONTAINERS, {"spec": {"$retainKeys": ["a"], "b": 1}}, "invalid patch format of retainKeys"),
        (
            CONTAINERS,
            {"spec": {"$setElementOrder/foo": []}},
            'unable to find api field in struct PodSpec for the json field "foo"',
        ),
    ],
)
def test_bad_patches(document: Any, patch: Any, message: str) -> None:
    # the words are those of patch.go and mergepatch/errors.go; where upstream answers 500, ours is 400
    with pytest.raises(StatusError) as caught:
        merged("Pod", document, patch)
    assert (caught.value.code, caught.value.message) == (400, message)


def test_a_list_of_lists_is_a_422() -> None:
    # handlers/patch.go interpretStrategicMergePatchError
    with pytest.raises(StatusError) as caught:
        merged("Pod", {"metadata": {"finalizers": ["a"]}}, {"metadata": {"finalizers": [["b"]]}})
    assert caught.value.code == 422


def test_numbers_and_booleans_are_told_apart_by_merge_key() -> None:
    ports = [{"port": 1, "name": "a"}]
    found = merged("Service", {"spec": {"ports": ports}}, {"spec": {"ports": [{"port": True}]}})
    assert found["spec"]["ports"] == [{"port": True}, {"port": 1, "name": "a"}]


def test_long_lists_merge_in_linear_time() -> None:
    names = [{"name": f"c{n}"} for n in range(20000)]
    order = {"$setElementOrder/containers": names[::-1], "containers": names[::-1]}
    assert merged("Pod", {"spec": {"containers": names}}, {"spec": order})["spec"]["containers"] == names[::-1]


def test_a_patched_object_is_normalised_by_check(decoder: Decoder) -> None:
    container = {"name": "c", "resources": {"limits": {"cpu": "1"}}}
    patch = {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 0.5}}}]}}
    patched = merged("Pod", {"spec": {"containers": [container]}}, patch)
    document, _ = decoder.check_patched(patched, "", "v1", "Pod", strategic_patch=patch)
    assert document["spec"]["containers"][0]["resources"] == {"limits": {"cpu": "500m"}}


@pytest.mark.parametrize(("body", "kind"), [(b"[]", "array"), (b"3", "number"), (b'"a"', "string")])
def test_bodies_that_are_no_patch(body: bytes, kind: str) -> None:
    with pytest.raises(StatusError) as caught:
        read(body)
    assert caught.value.message == f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"


def test_null_is_a_patch_that_changes_nothing() -> None:
    assert read(b"null") == ({}, [])
