"""Label selectors (cases of apimachinery `pkg/labels/selector_test.go` unless said otherwise)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tiphys.base.label_selector import EVERYTHING, NOTHING, from_document, from_labels, parse

KEY_WORDS = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


@pytest.mark.parametrize(
    "text", ["x=a,y=b,z=c", "", "x!=a,y=b", "x=", "x= ", "x=,z= ", "x= ,z= ", "!x", "x>1", "x>1,z<5"]
)
def test_prints_what_it_read(text: str) -> None:
    """TestSelectorParse."""
    assert str(parse(text)) == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        # TestToString, TestSetSelectorParser.
        ("x in (a,b),y notin (c),z", "x in (a,b),y notin (c),z"),
        ("x in (,)", "x in ()"),
        ("x in (abc,,def)", "x in (,abc,def)"),
        ("x notin ()", "x notin ()"),
        ("\rx\n", "x"),
        ("!y, !\n x", "!x,!y"),
        ("a=x,x=a", "a=x,x=a"),
        ("x=a,a=x", "a=x,x=a"),
        ("x==a", "x==a"),
        ("in in (notin),notin", "in in (notin),notin"),
        # Ours: NUL ends a text, from reading the lexer.
        ("a \0=b", "a"),
    ],
)
def test_prints_in_order(text: str, printed: str) -> None:
    assert str(parse(text)) == printed


@pytest.mark.parametrize(
    ("text", "labels", "selected"),
    [
        # TestSelectorMatches.
        ("", {"x": "y"}, True),
        ("x=y", {"x": "y"}, True),
        ("x=y,z=w", {"x": "y", "z": "w"}, True),
        ("x!=y,z!=w", {"x": "z", "z": "a"}, True),
        ("notin=in", {"notin": "in"}, True),
        ("x", {"x": "z"}, True),
        ("!x", {"y": "z"}, True),
        ("x>1", {"x": "2"}, True),
        ("x<1", {"x": "0"}, True),
        ("x=z", {}, False),
        ("x=y", {"x": "z"}, False),
        ("x=y,z=w", {"x": "w", "z": "w"}, False),
        ("x!=y,z!=w", {"x": "z", "z": "w"}, False),
        ("x", {"y": "z"}, False),
        ("!x", {"x": "z"}, False),
        ("x>1", {"x": "0"}, False),
        ("x<1", {"x": "2"}, False),
        # TestSetMatches.
        ("x in (a,b)", {"x": "b"}, True),
        ("x in (a,b)", {"y": "b"}, False),
        ("x notin (a,b)", {"y": "a"}, True),
        ("x notin (a,b)", {"x": "a"}, False),
        ("x>1", {"x": "many"}, False),
        ("x>1", None, False),
        ("!x", None, True),
    ],
)
def test_matches(text: str, labels: dict[str, str] | None, selected: bool) -> None:
    assert parse(text).matches(labels) is selected


@pytest.mark.parametrize(
    ("text", "message"),
    # Words from reading labels.Parser; which texts are bad from TestSelectorParse and TestSetSelectorParser.
    [
        ("x=a||y=b", 'unable to parse requirement: values[0][x]: Invalid value: "a||y": a valid label must be an '
         "empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
         "alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
         "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"),
        ("x==a==b", "found '==', expected: ',' or 'end of string'"),
        ("!x=a", "found '=', expected: ',' or 'end of string'"),
        ("x<a", "unable to parse requirement: values[0]: Invalid value: \"a\": for 'Gt', 'Lt' operators, "
         "the value must be an integer"),
        ("a,", "found '', expected: identifier after ','"),
        ("a,,", "found ',', expected: identifier after ','"),
        (",a", "found ',', expected: !, identifier, or 'end of string'"),
        ("!!", "unable to parse requirement: found '!', expected: identifier"),
        ("!", "unable to parse requirement: found '', expected: identifier"),
        ("-", f'unable to parse requirement: <nil>: Invalid value: "-": {KEY_WORDS}'),
        ("x y", "unable to parse requirement: found 'y', expected: in, notin, =, ==, !=, gt, lt"),
        ("x in a", "unable to parse requirement: found 'a' expected: '('"),
        ("x in (a", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("x in (", "unable to parse requirement: found '', expected: ',', ')' or identifier"),
        ("x in (,", "unable to parse requirement: found '', expected: ',', or identifier"),
        ("x in (a b)", "unable to parse requirement: found 'b', expected: ',' or ')'"),
        ("x==(a)", "unable to parse requirement: found '(', expected: identifier"),
    ],
)  # fmt: skip
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refusal:
        parse(text)
    assert str(refusal.value) == message


@pytest.mark.parametrize(
    ("document", "printed"),
    [
        # TestLabelSelectorAsSelector.
        ({"matchLabels": {"foo": "bar"}}, "foo=bar"),
        (
            {
                "matchLabels": {"foo": "bar"},
                "matchExpressions": [{"key": "baz", "operator": "In", "values": ["qux", "norf"]}],
            },
            "baz in (norf,qux),foo=bar",
        ),
        ({"matchExpressions": [{"key": "baz", "operator": "DoesNotExist"}]}, "!baz"),
        ({"matchExpressions": [{"key": "baz", "operator": "NotIn", "values": ["a"]}]}, "baz notin (a)"),
    ],
)
def test_from_document(document: dict[str, object], printed: str) -> None:
    assert str(from_document(document)) == printed


def test_none_and_empty() -> None:
    assert from_document(None) is NOTHING
    assert from_document({}) is EVERYTHING
    assert from_document({"matchLabels": {}}) is EVERYTHING
    assert not NOTHING.matches({}) and not NOTHING.empty
    assert EVERYTHING.matches({}) and EVERYTHING.empty
    assert from_labels(None).matches({"a": "b"})
    assert str(from_labels({"b": "2", "a": "1"})) == "a=1,b=2"


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ({"key": "baz", "operator": "Weird"}, '"Weird" is not a valid label selector operator'),
        (
            {"key": "baz", "operator": "In"},
            "values: Invalid value: null: for 'in', 'notin' operators, values set can't be empty",
        ),
        (
            {"key": "baz", "operator": "Exists", "values": ["a"]},
            'values: Invalid value: ["a"]: values set must be empty for exists and does not exist',
        ),
        ({"key": "-", "operator": "Exists"}, f'key: Invalid value: "-": {KEY_WORDS}'),
    ],
)
def test_document_refused(expression: dict[str, object], message: str) -> None:
    """Words from labels.NewRequirement."""
    with pytest.raises(ValueError) as refusal:
        from_document({"matchExpressions": [expression]})
    assert str(refusal.value) == message


def test_exact() -> None:
    """TestRequiresExactMatch."""
    assert parse("x=y").exact("x") == "y"
    assert parse("x in (y)").exact("x") == "y"
    assert parse("x in (y,z)").exact("x") is None
    assert parse("x!=y").exact("x") is None
    assert parse("x=y").exact("z") is None


@given(st.text(alphabet="ab1 =!<>(),\t\0-/in", max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        selector = parse(text)
    except ValueError:
        return
    assert str(parse(str(selector))) == str(selector)
    selector.matches({"a": "1"})
