"""Upstream: github.com/robfig/cron/v3, parser_test.go."""

import pytest

from tiphys.base.cron_schedule import parse


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "empty spec string"),
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("j * * * *", 'failed to parse int from j: strconv.Atoi: parsing "j": invalid syntax'),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("@unrecognized", "unrecognized descriptor: @unrecognized"),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
        ("TZ=Nowhere 0 0 * * *", "provided bad location Nowhere: unknown time zone Nowhere"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(ValueError) as raised:
        parse(text)
    assert str(raised.value) == message


def test_fields() -> None:
    made = parse("0/20,59 8-10/2 1 jan-MAR sun,3")
    assert sorted(made.minutes) == [0, 20, 40, 59]
    assert sorted(made.hours) == [8, 10]
    assert (sorted(made.days), sorted(made.months), sorted(made.weekdays)) == ([1], [1, 2, 3], [0, 3])
    assert not made.any_day and not made.any_weekday


def test_descriptors() -> None:
    assert parse("@hourly") == parse("0 * * * *")
    assert parse("@hourly").any_day
    assert parse("@every 1h30m5s").every == 5405
    assert parse("TZ=UTC 0 0 * * *").zone == "UTC"
