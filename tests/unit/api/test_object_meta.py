"""Metadata of every kind (apimachinery `api/validation/objectmeta.go`)."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.api import object_meta
from tiphys.base.document import Document

FINE: Document = {"name": "a", "namespace": "default"}
LABEL = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation "
    "is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
OWNER = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "a", "uid": "u"}


def _errors(**more: Any) -> list[str]:
    return [str(error) for error in object_meta.validate({**FINE, **more}, True, None)]


def test_fine() -> None:
    more = {
        "labels": {"a/b": "c", "x": ""},
        "annotations": {"A.b/c": "anything at all"},
        "finalizers": ["a/b", "orphan"],
        "ownerReferences": [{**OWNER, "controller": True}, OWNER],
        "generateName": "a-",
    }
    assert _errors(**more) == []


@pytest.mark.parametrize(
    ("more", "start"),
    [
        ({"name": ""}, "metadata.name: Required value: name or generateName is required"),
        ({"name": "A"}, 'metadata.name: Invalid value: "A": a lowercase RFC 1123 subdomain must consist of'),
        ({"generateName": "AB-"}, 'metadata.generateName: Invalid value: "AB-": a lowercase RFC 1123 subdomain'),
        ({"namespace": ""}, "metadata.namespace: Required value"),
        ({"namespace": "a.b"}, 'metadata.namespace: Invalid value: "a.b": a lowercase RFC 1123 label must'),
        ({"generation": -1}, "metadata.generation: Invalid value: -1: must be greater than or equal to 0"),
        ({"labels": {"a": "-"}}, f'metadata.labels: Invalid value: "-": {LABEL}'),
        ({"labels": {"a b": "b"}}, 'metadata.labels: Invalid value: "a b": name part must consist of'),
        ({"annotations": {"a b": ""}}, 'metadata.annotations: Invalid value: "a b": name part must consist of'),
        (
            {"annotations": {"a": "x" * (256 * 1024)}},
            "metadata.annotations: Too long: may not be more than 262144 bytes",
        ),
        ({"finalizers": ["a b"]}, 'metadata.finalizers: Invalid value: "a b": name part must consist of'),
        (
            {"finalizers": ["orphan", "foregroundDeletion"]},
            'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and '
            "foregroundDeletion cannot be both set",
        ),
        (
            {"ownerReferences": [{**OWNER, "apiVersion": "a/b/c"}]},
            'metadata.ownerReferences[0].apiVersion: Invalid value: "a/b/c": must be <group>/<version> or <version>',
        ),
        ({"ownerReferences": [{**OWNER, "uid": ""}]}, "metadata.ownerReferences[0].uid: Required value: must not be"),
        (
            {"ownerReferences": [{**OWNER, "apiVersion": "v1", "kind": "Event"}]},
            "metadata.ownerReferences[0]: Invalid value: ",
        ),
        (
            {"ownerReferences": [{**OWNER, "controller": True}, {**OWNER, "name": "b", "controller": True}]},
            "metadata.ownerReferences: Invalid value: ",
        ),
        ({"managedFields": [{"operation": "x"}]}, 'metadata.managedFields[0].operation: Unsupported value: "x"'),
    ],
)
def test_wrong(more: Document, start: str) -> None:
    errors = _errors(**more)
    assert len(errors) == 1
    assert errors[0].startswith(start), errors[0]


def test_only_one_controller() -> None:
    owners = [{**OWNER, "controller": True}, {**OWNER, "name": "b", "controller": True}]
    assert _errors(ownerReferences=owners)[0].endswith(
        'Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/a and '
        "ReplicaSet/b"
    )


def test_a_namespace_on_a_cluster_scoped_kind() -> None:
    errors = object_meta.validate(FINE, False, None)
    assert [str(error) for error in errors] == ["metadata.namespace: Forbidden: not allowed on this type"]


def test_a_kinds_own_rule_for_names() -> None:
    errors = object_meta.validate(FINE, True, lambda name, prefix: [f"{name} {prefix}"])
    assert [str(error) for error in errors] == ['metadata.name: Invalid value: "a": a False']


@pytest.mark.parametrize("name", ["name", "namespace", "uid", "creationTimestamp", "deletionGracePeriodSeconds"])
def test_what_cannot_change(name: str) -> None:
    errors = object_meta.validate_update({**FINE, name: "new"}, {**FINE, name: "old"})
    assert [str(error) for error in errors] == [f'metadata.{name}: Invalid value: "new": field is immutable']


def test_generation_never_goes_down() -> None:
    errors = object_meta.validate_update({**FINE, "generation": 1}, {**FINE, "generation": 2})
    assert [str(error) for error in errors] == ["metadata.generation: Invalid value: 1: must not be decremented"]
