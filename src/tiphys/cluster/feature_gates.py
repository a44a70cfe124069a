"""The feature gates of upstream that can be switched here, by upstream's names, and what each is by default.

A name that is not among them is refused: a switch that moves nothing would be a lie.
"""

from __future__ import annotations

from collections.abc import Mapping

LEGACY_TOKENS_BY_HAND = "LegacyServiceAccountTokenNoAutoGeneration"
"""Off, every service account gets a Secret with a token of its own, as before 1.24."""

GATES: Mapping[str, bool] = {LEGACY_TOKENS_BY_HAND: True}

_ON = {"1", "t", "T", "TRUE", "true", "True"}
_OFF = {"0", "f", "F", "FALSE", "false", "False"}
"""strconv.ParseBool."""


def parse(text: str) -> dict[str, bool]:
    """`Name=true,Other=false`, as `--feature-gates` takes it. Raises ValueError."""
    given = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"missing bool value for {name}")
        switch = value.strip()
        if switch not in _ON | _OFF:
            raise ValueError(f"invalid value of {name}={value}: must be true or false")
        given[name.strip()] = switch in _ON
    return check(given)


def check(given: Mapping[str, bool]) -> dict[str, bool]:
    """The same gates. Raises ValueError for one that is not known."""
    for name in given:
        if name not in GATES:
            raise ValueError(f"unrecognized feature gate: {name}; known are {', '.join(sorted(GATES))}")
    return dict(given)


def is_on(given: Mapping[str, bool], name: str) -> bool:
    return given.get(name, GATES[name])
