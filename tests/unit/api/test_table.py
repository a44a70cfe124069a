"""Tables: apiserver `endpoints/handlers/response.go`, `registry/rest/table.go`; kubernetes `pkg/printers`."""

from __future__ import annotations

import pytest

from tiphys.api.catalog import Catalog
from tiphys.api.kind import Column, Kind
from tiphys.api.table import include_object, partial_metadata_list, render
from tiphys.base.status import StatusError
from tiphys.schema.definitions import Definitions

POD = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {
        "name": "a",
        "namespace": "erp",
        "resourceVersion": "5",
        "creationTimestamp": "2026-01-01T00:00:00Z",
    },
    "status": {"phase": "Running"},
}


def pods(catalog: Catalog, **more):
    options = {"include": "Metadata", "version": "v1", **more}
    metadata = {"resourceVersion": "7", "continue": "c", "remainingItemCount": 3, "selfLink": "x"}
    return render(catalog.find("", "v1", "pods"), [POD], metadata, 60.0, **options)


def test_a_list_as_a_table(catalog):
    table = pods(catalog)
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert table["metadata"] == {"resourceVersion": "7", "continue": "c", "remainingItemCount": 3}
    (row,) = table["rows"]
    assert row["cells"] == ["a", "Running", "60s"]
    partial = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": POD["metadata"]}
    assert row["object"] == partial


def test_columns_are_described(catalog):
    name, phase, age = pods(catalog)["columnDefinitions"]
    assert (name["name"], name["type"], name["format"], name["priority"]) == ("Name", "string", "name", 0)
    described = catalog.definitions.raw["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"]["properties"]
    assert name["description"] == described["name"]["description"]
    assert age["description"] == described["creationTimestamp"]["description"]
    assert phase == {"name": "Phase", "type": "string", "format": "", "description": "What it does.", "priority": 0}
    assert age["priority"] == 1


def test_a_column_may_belong_to_some_versions_only(catalog_of):
    names = [column["name"] for column in pods(catalog_of(30))["columnDefinitions"]]
    assert names == ["Name", "Phase", "Old", "Age"]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_the_object_comes_as_asked(catalog, version):
    assert pods(catalog, include="Object", version=version)["rows"][0]["object"] is POD
    assert pods(catalog, include="None", version=version)["rows"][0]["object"] is None
    partial = pods(catalog, version=version)["rows"][0]["object"]
    assert partial["apiVersion"] == f"meta.k8s.io/{version}"


def test_a_watch_sends_the_columns_once(catalog):
    table = pods(catalog, headers=False)
    assert table["columnDefinitions"] is None and table["rows"]


def test_a_kind_without_columns_shows_when_it_was_made(catalog):
    table = render(catalog.find("", "v1", "namespaces"), [POD], {}, 0.0, "None", "v1")
    assert [(c["name"], c["type"]) for c in table["columnDefinitions"]] == [
        ("Name", "string"),
        ("Created At", "date"),
    ]
    assert table["rows"][0]["cells"] == ["a", "2026-01-01T00:00:00Z"]


def test_a_kind_may_say_where_its_name_stands_and_cells_see_the_stored_shape():
    kind = Kind(
        group="events.k8s.io",
        kind="Event",
        plural="events",
        storage=("", "events"),
        convert={"v1": (dict, lambda document: {**document, "message": document["note"]})},
        columns=(
            Column("Message", lambda document, now: document["message"]),
            Column("Name", lambda document, now: document["metadata"]["name"], format="name"),
        ),
    )
    catalog = Catalog(Definitions.load(37), [kind])
    event = {"metadata": {"name": "e"}, "note": "hello"}
    table = render(catalog.find("events.k8s.io", "v1", "events"), [event], {}, 0.0, "Object", "v1")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Message", "Name"]
    assert table["rows"] == [{"cells": ["hello", "e"], "object": event}]


def test_metadata_only():
    made = partial_metadata_list([POD], {"resourceVersion": "7"}, "v1beta1")
    assert (made["kind"], made["apiVersion"]) == ("PartialObjectMetadataList", "meta.k8s.io/v1beta1")
    assert made["items"][0]["metadata"] is POD["metadata"] and made["metadata"] == {"resourceVersion": "7"}


def test_include_object_takes_three_words():
    assert include_object("") == "Metadata"
    assert [include_object(word) for word in ("None", "Metadata", "Object")] == ["None", "Metadata", "Object"]
    with pytest.raises(StatusError) as refused:
        include_object("x")
    # apimachinery meta/v1beta1/validation ValidateTableOptions
    assert refused.value.code == 400
    assert refused.value.message == (
        "Unable to convert to Table as requested: includeObject: Invalid value: \"x\": must be 'Metadata', 'Object', "
        "'None', or empty"
    )
