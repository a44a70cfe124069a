"""Upstream: pkg/registry/core/namespace/strategy.go, ValidateNamespace*, SetDefaults_Namespace."""

import pytest
from tests.unit.kinds.hooks import cells, context, create_errors, defaulted, texts

from tiphys.base.document import Document
from tiphys.kinds.core.namespace import KIND, validate_finalize


def test_defaults() -> None:
    made = defaulted(KIND, {"metadata": {"name": "erp", "labels": {"a": "b"}}})
    assert made["metadata"]["labels"] == {"a": "b", "kubernetes.io/metadata.name": "erp"}
    assert made["status"] == {"phase": "Active"}


def test_a_nameless_one_is_labelled_once_it_has_its_name() -> None:
    made = defaulted(KIND, {"metadata": {"generateName": "t-"}})
    assert "labels" not in made["metadata"]
    made["metadata"]["name"] = "t-x"
    assert KIND.prepare_create
    KIND.prepare_create(made, context())
    assert made["metadata"]["labels"] == {"kubernetes.io/metadata.name": "t-x"}


@pytest.mark.parametrize(
    "given, made",
    [(None, ["kubernetes"]), (["a.b/c"], ["a.b/c", "kubernetes"]), (["kubernetes"], ["kubernetes"])],
)
def test_create_adds_the_finalizer(given: list[str] | None, made: list[str]) -> None:
    document: Document = {
        "metadata": {"name": "n"},
        "spec": {"finalizers": given},
        "status": {"phase": "Terminating"},
    }
    assert KIND.prepare_create
    KIND.prepare_create(document, context())
    assert (document["spec"]["finalizers"], document["status"]) == (made, {"phase": "Active"})


def test_update_keeps_finalizers() -> None:
    new: Document = {"metadata": {"name": "n"}, "spec": {"finalizers": []}}
    assert KIND.prepare_update
    KIND.prepare_update(new, {"spec": {"finalizers": ["kubernetes"]}}, context())
    assert new["spec"] == {"finalizers": ["kubernetes"]}


def test_finalizer_names() -> None:
    document = {"metadata": {"name": "n"}, "spec": {"finalizers": ["mine"]}}
    words = 'Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified'
    assert create_errors(KIND, document) == [f"spec.finalizers: {words}"]
    assert texts(validate_finalize(document, document, context())) == [f"spec.finalizers[0]: {words}"]


@pytest.mark.parametrize(
    "deleted, phase, error",
    [
        (False, "Active", []),
        (True, "Terminating", []),
        (
            False,
            "Terminating",
            ["status.Phase: Invalid value: \"Terminating\": may only be 'Active' if `deletionTimestamp` is empty"],
        ),
        (
            True,
            "Active",
            [
                'status.Phase: Invalid value: "Active": '
                "may only be 'Terminating' if `deletionTimestamp` is not empty"
            ],
        ),
    ],
)
def test_phase_follows_deletion(deleted: bool, phase: str, error: list[str]) -> None:
    metadata = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if deleted else {}
    document: Document = {"metadata": metadata, "status": {"phase": phase}}
    assert KIND.validate_status
    assert texts(KIND.validate_status(document, document, context())) == error


def test_columns_and_fields() -> None:
    document = {"metadata": {"name": "n", "creationTimestamp": "2026-01-02T03:03:05Z"}, "status": {"phase": "Active"}}
    assert cells(KIND, document) == {"Status": "Active", "Age": "60s"}
    assert KIND.fields and KIND.fields(document) == {"status.phase": "Active", "name": "n"}
