"""Errors of fields: how many are told. The bounds are ours; upstream tells all."""

from __future__ import annotations

from typing import Any

import orjson

from tiphys.base.field_error import MAX_TOLD, MAX_TOLD_SIZE, invalid_value, required, unique
from tiphys.base.status import StatusError, invalid


def _refusal(errors: list[Any]) -> StatusError:
    return invalid("", "Pod", "a", errors)


def test_as_many_as_anybody_reads_are_all_told() -> None:
    refusal = _refusal([required(f"spec[{index}]") for index in range(MAX_TOLD)])
    assert refusal.details and len(refusal.details["causes"]) == MAX_TOLD
    assert refusal.message.endswith(f"spec[{MAX_TOLD - 1}]: Required value]")


def test_the_rest_is_counted() -> None:
    refusal = _refusal([required(f"spec[{index}]") for index in range(MAX_TOLD + 7)])
    assert refusal.details and len(refusal.details["causes"]) == MAX_TOLD
    assert refusal.message.endswith(", and 7 more]")


def test_errors_that_each_show_a_long_list_are_told_until_it_is_enough() -> None:
    shown = ["x"] * 70_000
    refusal = _refusal([invalid_value("spec.scopes", shown, f"{index}") for index in range(500)])
    assert len(orjson.dumps(refusal.document())) < 10 * MAX_TOLD_SIZE
    assert refusal.message.endswith(" more]")


def test_one_error_is_told_however_long_it_is() -> None:
    refusal = _refusal([invalid_value("metadata.name", "x" * 2 * MAX_TOLD_SIZE, "no")])
    assert len(refusal.message) > 2 * MAX_TOLD_SIZE
    assert "more]" not in refusal.message


def test_what_is_said_twice_is_said_once() -> None:
    assert unique([required("a"), required("b"), required("a")]) == [required("a"), required("b")]


def test_a_great_many_repetitions_cost_no_more_than_the_bound() -> None:
    shown = ["x"] * 700_000
    errors = [invalid_value("spec.scopes", shown, "no")] * 100_000
    assert len(unique(errors)) > 1  # looked at until it was enough
