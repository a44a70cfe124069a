"""Field selectors (cases of apimachinery `pkg/fields/selector_test.go`)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiphys.base.field_selector import Selector, Term, parse


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", ()),
        ("x=a,y=b,z=c", (Term("x", "a"), Term("y", "b"), Term("z", "c"))),
        ("x!=a,y=b", (Term("x", "a", True), Term("y", "b"))),
        ("x==a", (Term("x", "a"),)),
        (r"x=a||y\=b", (Term("x", "a||y=b"),)),
        (r"x=a\=\=b", (Term("x", "a==b"),)),
        (r"x=\,", (Term("x", ","),)),
        ("x=a,", (Term("x", "a"),)),
        ("b=1,a=2", (Term("a", "2"), Term("b", "1"))),
        ("x=", (Term("x", ""),)),
        ("=x", (Term("", "x"),)),
        ("metadata.name=a\\\\b", (Term("metadata.name", "a\\b"),)),
    ],
)
def test_parse(text: str, terms: tuple[Term, ...]) -> None:
    assert parse(text).terms == terms


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x", "invalid selector: 'x'; can't understand 'x'"),
        ("a=1,x", "invalid selector: 'a=1,x'; can't understand 'x'"),
        ("x=a||y=b", "invalid field selector: unescaped character in value: 61"),
        ("x==a==b", "invalid field selector: unescaped character in value: 61"),
        (r"x=\a", r"invalid field selector: invalid escape sequence: \a"),
        ("x=\\", "invalid field selector: invalid escape sequence: \\"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse(text)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("text", "fields", "selected"),
    [
        ("", {"x": "y"}, True),
        ("x=y", {"x": "y"}, True),
        ("x=y,z=w", {"x": "y", "z": "w"}, True),
        ("x!=y,z!=w", {"x": "z", "z": "a"}, True),
        ("notin=in", {"notin": "in"}, True),
        ("x=y", {"x": "z"}, False),
        ("x=y,z=w", {"x": "w", "z": "w"}, False),
        ("x!=y,z!=w", {"x": "z", "z": "w"}, False),
        ("x=", {}, True),
        ("x!=", {}, False),
    ],
)
def test_matches(text: str, fields: dict[str, str], selected: bool) -> None:
    assert parse(text).matches(fields) is selected


def test_exact() -> None:
    assert parse("metadata.name=web,x!=y").exact("metadata.name") == "web"
    assert parse("metadata.name!=web").exact("metadata.name") is None


@given(st.lists(st.builds(Term, st.sampled_from(["a", "b.c"]), st.text(max_size=8), st.booleans()), max_size=3))
def test_what_is_printed_is_read_back(terms: list[Term]) -> None:
    selector = Selector(tuple(terms))
    assert sorted(map(str, parse(str(selector)).terms)) == sorted(map(str, terms))
