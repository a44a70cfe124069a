"""Field selectors: `metadata.name=web,status.phase!=Running` (apimachinery `pkg/fields`).

Which fields a kind can be selected by is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_TERM = re.compile(r"(?:[^\\,]|\\.|\\$)*", re.DOTALL)
_OPERATOR = re.compile(r"!=|==|=")
_SPECIAL = re.compile(r"[\\,=]")
_PIECE = re.compile(r"\\(.?)|([,=])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Term:
    """`field=value`, or `field!=value` where negated."""

    field: str
    value: str
    negated: bool = False

    def __str__(self) -> str:
        escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", self.value)
        return f"{self.field}{'!=' if self.negated else '='}{escaped}"


@dataclass(frozen=True, slots=True)
class Selector:
    """All of `terms`; without any it matches everything. Sorted as their texts were."""

    terms: tuple[Term, ...] = ()

    def matches(self, fields: Mapping[str, str]) -> bool:
        """An absent field counts as empty."""
        return all((fields.get(term.field, "") == term.value) is not term.negated for term in self.terms)

    @property
    def empty(self) -> bool:
        return not self.terms

    def exact(self, field: str) -> str | None:
        """The value it demands of `field`, if it does (RequiresExactMatch)."""
        return next((term.value for term in self.terms if term.field == field and not term.negated), None)

    def __str__(self) -> str:
        return ",".join(str(term) for term in self.terms)


EVERYTHING = Selector()


def parse(text: str) -> Selector:
    """The Selector of a `fieldSelector` parameter. Raises ValueError in upstream's words (fields.ParseSelector)."""
    return Selector(tuple(_term(text, part) for part in sorted(_split(text)) if part))


def _split(text: str) -> list[str]:
    """The terms between commas, except commas after a backslash."""
    parts = []
    position = 0
    while position <= len(text):
        match = _TERM.match(text, position)
        end = match.end() if match else position
        parts.append(text[position:end])
        position = end + 1
    return parts


def _term(text: str, part: str) -> Term:
    operator = _OPERATOR.search(part)
    if operator is None:
        raise ValueError(f"invalid selector: '{text}'; can't understand '{part}'")
    return Term(part[: operator.start()], _unescaped(part[operator.end() :]), operator[0] == "!=")


def _unescaped(value: str) -> str:
    """UnescapeValue; an unescaped special character is named by its code point, as upstream prints it."""
    return _PIECE.sub(_piece, value)


def _piece(found: re.Match[str]) -> str:
    if found[2]:
        raise ValueError(f"invalid field selector: unescaped character in value: {ord(found[2])}")
    if found[1] not in ("\\", ",", "=") or not found[1]:
        raise ValueError(f"invalid field selector: invalid escape sequence: {found[0]}")
    return found[1]
