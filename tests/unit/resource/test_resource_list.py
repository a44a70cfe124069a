"""Arithmetic of resource lists (apiserver `pkg/quota/v1/resources_test.go`)."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tiphys.base.quantity import BINARY_SI, DECIMAL_SI, Quantity
from tiphys.resource.resource_list import (
    ResourceList,
    add,
    exceeding,
    mask,
    negative,
    read,
    subtract_to_zero,
    to_string,
    without_zeros,
    write,
)


def test_add_keeps_the_format() -> None:
    """The walkthrough's `requests.memory 2820Mi` is such a sum."""
    used = add(read({"memory": "2308Mi", "pods": "1"}), read({"memory": "512Mi", "cpu": "1"}))
    assert write(used) == {"cpu": "1", "memory": "2820Mi", "pods": "1"}


def test_subtract_to_zero() -> None:
    """TestSubtractWithNonNegativeResult."""
    rest = subtract_to_zero(read({"cpu": "100m", "memory": "1Gi"}), read({"cpu": "150m", "pods": "1"}))
    assert write(rest) == {"cpu": "0", "memory": "1Gi", "pods": "0"}


def test_selection() -> None:
    resources = read({"cpu": "1", "pods": "0", "memory": "-1"})
    assert write(mask(resources, ["cpu", "x"])) == {"cpu": "1"}
    assert write(without_zeros(resources)) == {"cpu": "1", "memory": "-1"}
    assert negative(resources) == ["memory"]


def test_exceeding() -> None:
    """TestLessThanOrEqual: a name without a limit is not limited."""
    assert exceeding(read({"cpu": "2", "pods": "1", "x": "9"}), read({"cpu": "1", "pods": "1", "memory": "1"})) == [
        "cpu"
    ]


def test_to_string() -> None:
    """The walkthrough's refusal: `requested: limits.cpu=1,pods=1,requests.cpu=1`."""
    resources = read({"requests.cpu": "1000m", "pods": "1", "limits.cpu": "1"})
    assert to_string(resources) == "limits.cpu=1,pods=1,requests.cpu=1"
    assert to_string({}) == ""


AMOUNTS = st.builds(Quantity, st.integers(-(10**20), 10**20), st.sampled_from([DECIMAL_SI, BINARY_SI]))
LISTS = st.dictionaries(st.sampled_from(["cpu", "memory", "pods", "gpu"]), AMOUNTS)


@given(LISTS, LISTS, LISTS)
def test_adding_is_exact(a: ResourceList, b: ResourceList, c: ResourceList) -> None:
    assert add(add(a, b), c) == add(a, add(c, b))


@given(LISTS, LISTS)
def test_what_is_charged_can_be_taken_back(used: ResourceList, more: ResourceList) -> None:
    """Ours: where nothing is negative, taking away what was added leaves what was there."""
    used = {name: amount if amount.sign >= 0 else -amount for name, amount in used.items()}
    more = {name: amount if amount.sign >= 0 else -amount for name, amount in more.items()}
    rest = subtract_to_zero(add(used, more), more)
    assert without_zeros(rest) == without_zeros(used)


@given(LISTS)
def test_written_lists_are_read_back(resources: ResourceList) -> None:
    small = {name: amount for name, amount in resources.items() if abs(amount.nanos) < 10**18}
    assert read(write(small)) == small
    assert list(write(small)) == sorted(small)
