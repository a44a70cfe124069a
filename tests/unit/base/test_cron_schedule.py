"""Upstream: github.com/robfig/cron/v3, parser_test.go."""

from datetime import datetime

import pytest

from tiphys.base.cron_schedule import parse, zone_of


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


NEW_YORK = "TZ=America/New_York "
SAO_PAULO = "TZ=America/Sao_Paulo "


@pytest.mark.parametrize(
    "after, text, expected",
    [
        ("2012-07-09T14:45:00+00:00", "0/15 * * * *", "2012-07-09T15:00:00+00:00"),
        ("2012-07-09T14:59:59+00:00", "0/15 * * * *", "2012-07-09T15:00:00+00:00"),
        ("2012-07-09T15:45:00+00:00", "20-35/15 * * * *", "2012-07-09T16:20:00+00:00"),
        ("2012-07-09T23:46:00+00:00", "*/15 * * * *", "2012-07-10T00:00:00+00:00"),
        ("2012-07-09T23:35:00+00:00", "0 0 9 Apr-Oct ?", "2012-08-09T00:00:00+00:00"),
        ("2012-07-09T23:35:00+00:00", "0 0 */5 Apr,Aug,Oct Mon", "2012-08-01T00:00:00+00:00"),
        ("2012-07-09T23:35:00+00:00", "0 0 29 Feb ?", "2016-02-29T00:00:00+00:00"),
        ("2012-12-31T23:59:45+00:00", "* * * * *", "2013-01-01T00:00:00+00:00"),
        # Spring forward: what falls into the hour that is not there is left out.
        ("2012-03-11T00:00:00-05:00", NEW_YORK + "30 2 11 Mar ?", "2013-03-11T02:30:00-04:00"),
        ("2012-03-11T01:00:00-05:00", NEW_YORK + "0 * * * ?", "2012-03-11T03:00:00-04:00"),
        ("2012-03-11T00:00:00-05:00", NEW_YORK + "0 2 * * ?", "2012-03-12T02:00:00-04:00"),
        # Fall back: what falls into the hour that comes twice runs twice.
        ("2012-11-04T00:00:00-04:00", NEW_YORK + "30 2 04 Nov ?", "2012-11-04T02:30:00-05:00"),
        ("2012-11-04T01:45:00-04:00", NEW_YORK + "30 1 04 Nov ?", "2012-11-04T01:30:00-05:00"),
        ("2012-11-04T01:00:00-04:00", NEW_YORK + "0 1 * * ?", "2012-11-04T01:00:00-05:00"),
        ("2012-11-04T01:00:00-05:00", NEW_YORK + "0 1 * * ?", "2012-11-05T01:00:00-05:00"),
        # Clocks that change at midnight.
        ("2018-10-17T05:00:00-04:00", SAO_PAULO + "0 9 10 * ?", "2018-11-10T06:00:00-05:00"),
        ("2018-02-14T05:00:00-05:00", SAO_PAULO + "0 9 22 * ?", "2018-02-22T07:00:00-05:00"),
        ("2018-11-03T12:00:00-03:00", SAO_PAULO + "30 * * * ?", "2018-11-03T12:30:00-03:00"),
        # Ours: a quarter of an hour off UTC.
        ("2024-01-01T00:00:00+00:00", "TZ=Asia/Kathmandu 0 6 * * *", "2024-01-01T00:15:00+00:00"),
    ],
)
def test_next(after: str, text: str, expected: str) -> None:
    """Upstream: github.com/robfig/cron/v3, spec_test.go (TestNext), with the seconds field left out."""
    found = parse(text).next(datetime.fromisoformat(after).timestamp())
    assert found == datetime.fromisoformat(expected).timestamp()


@pytest.mark.parametrize("text", ["0 0 30 Feb ?", "0 0 31 Apr ?", "59 23 31 2 *"])
def test_next_of_a_day_that_never_comes(text: str) -> None:
    assert parse(text).next(1341877000.0) is None


def test_every_counts_from_the_whole_second() -> None:
    """robfig/cron constantdelay_test.go: fractions are cut off."""
    assert parse("@every 90s").next(1000.7) == 1090.0


def test_an_unknown_zone_has_a_name_in_the_error() -> None:
    with pytest.raises(ValueError, match="unknown time zone Nowhere/There"):
        zone_of("Nowhere/There")
