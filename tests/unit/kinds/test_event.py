"""Upstream: pkg/apis/core/validation/events.go, pkg/apis/events/v1/conversion.go, printEvent."""

import pytest
from tests.unit.kinds.hooks import cells, create_errors, update_errors

from tiphys.base.document import Document
from tiphys.kinds.core.event import KIND as CORE
from tiphys.kinds.events.event import KIND as VIEW
from tiphys.kinds.events.event import from_core, to_core

LATER = "2026-01-02T03:04:00Z"


def event(**fields: object) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "e", "namespace": "erp"},
        "involvedObject": {"kind": "Pod", "namespace": "erp", "name": "p"},
        **fields,
    }


def new_style(**fields: object) -> Document:
    return event(
        **{
            "eventTime": "2026-01-02T03:04:05.000000Z",
            "reportingComponent": "example.com/c",
            "reportingInstance": "i",
            "action": "Do",
            "reason": "Done",
            "type": "Normal",
            **fields,
        }
    )


@pytest.mark.parametrize(
    "document, errors",
    [
        (event(), []),
        (
            event(involvedObject={"namespace": "other"}),
            ['involvedObject.namespace: Invalid value: "other": does not match event.namespace'],
        ),
        (event(involvedObject={}), ['involvedObject.namespace: Invalid value: "": does not match event.namespace']),
        (event(involvedObject={}, metadata={"name": "e", "namespace": "default"}), []),
        (new_style(), []),
        (new_style(action=""), ["action: Required value"]),
        (new_style(reason="x" * 129), ['reason: Invalid value: "": can have at most 128 characters']),
        (new_style(message="x" * 1025), ['message: Invalid value: "": can have at most 1024 characters']),
    ],
)
def test_core_validation(document: Document, errors: list[str]) -> None:
    assert create_errors(CORE, document) == errors
    assert update_errors(CORE, event(), document) == errors


@pytest.mark.parametrize(
    "document, errors",
    [
        (new_style(), []),
        (new_style(type="Odd"), ['type: Invalid value: "": has invalid value: Odd']),
        (new_style(count=2), ['count: Invalid value: "": needs to be unset']),
        (
            new_style(series={"count": 1}),
            ['series.count: Invalid value: "": should be at least 2', "series.lastObservedTime: Required value"],
        ),
        (new_style(eventTime=None), ["eventTime: Required value"]),
    ],
)
def test_stricter_validation_of_the_other_group(document: Document, errors: list[str]) -> None:
    assert create_errors(VIEW, document) == errors


def test_in_the_other_group_only_the_series_changes() -> None:
    series = {"count": 2, "lastObservedTime": LATER}
    assert update_errors(VIEW, new_style(), new_style(series=series)) == []
    assert update_errors(VIEW, new_style(), new_style(reason="Other")) == [
        'reason: Invalid value: "Other": field is immutable'
    ]


def test_conversion_there_and_back() -> None:
    core = new_style(message="m", source={"component": "c"}, count=3, firstTimestamp=LATER)
    view = from_core(core)
    assert view["apiVersion"] == "events.k8s.io/v1"
    assert view["regarding"]["name"] == "p" and view["note"] == "m" and view["deprecatedCount"] == 3
    assert view["reportingController"] == "example.com/c" and "involvedObject" not in view
    assert list(view)[:3] == ["apiVersion", "kind", "metadata"]
    assert to_core(view) == core


@pytest.mark.parametrize(
    "fields, last, first, count",
    [
        ({"firstTimestamp": "2026-01-02T03:02:05Z", "lastTimestamp": LATER, "count": 3}, "5s", "2m", 3),
        ({"eventTime": "2026-01-02T03:03:05.000000Z"}, "60s", "60s", 1),
        ({"series": {"count": 4, "lastObservedTime": LATER}, "eventTime": "2026-01-02T03:03:05Z"}, "5s", "60s", 5),
        ({}, "<unknown>", "<unknown>", 1),
    ],
)
def test_columns(fields: Document, last: str, first: str, count: int) -> None:
    shown = cells(CORE, event(**fields, message=" m\n", source={"component": "kubelet", "host": "n"}))
    assert (shown["Last Seen"], shown["First Seen"], shown["Count"]) == (last, first, count)
    assert (shown["Object"], shown["Source"], shown["Message"]) == ("pod/p", "kubelet, n", "m")
    assert list(cells(CORE, event(), wide=False)) == ["Last Seen", "Type", "Reason", "Object", "Message"]


def test_columns_of_the_other_group() -> None:
    assert cells(VIEW, from_core(event(message="m")))["Object"] == "pod/p"


def test_fields() -> None:
    assert CORE.fields
    found = CORE.fields(event(reportingComponent="c", type="Warning"))
    assert found["involvedObject.kind"] == found["regarding.kind"] == "Pod"
    assert (found["source"], found["type"], found["reason"]) == ("c", "Warning", "")
