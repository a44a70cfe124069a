"""YAML bodies (sigs.k8s.io/yaml over yaml.v2). Limits and their tests are ours."""

from __future__ import annotations

from typing import Any

import pytest

from tiphys.base.status import StatusError
from tiphys.schema.decode import Decoder
from tiphys.schema.yaml_body import MAX_VALUES, YAMLError, to_json

CONFIG_MAP = ("", "v1", "ConfigMap")


@pytest.mark.parametrize(
    ("text", "json"),
    [
        (
            "a: 1\nb: [x, 2.5, true, ~, null, 'true', 2020-01-01]",
            b'{"a":1,"b":["x",2.5,true,null,null,"true","2020-01-01"]}',
        ),
        ("1: a\ntrue: b\n", b'{"1":"a","true":"b"}'),
        ("a: &x {k: v}\nb: *x\nc: {<<: *x, l: w}", b'{"a":{"k":"v"},"b":{"k":"v"},"c":{"k":"v","l":"w"}}'),
        ("a: |\n  text\n", b'{"a":"text\\n"}'),
        ("a: 0644", b'{"a":420}'),
        ("a: 80:80\nb: 1:30.5", b'{"a":"80:80","b":"1:30.5"}'),  # go-yaml knows no base 60
        (f"a: {'1' * 400}", b'{"a":"' + b"1" * 400 + b'"}'),
        ("a: 18446744073709551615\nb: 100000000000000000000", b'{"a":18446744073709551615,"b":1e+20}'),
        ("", b"null"),
    ],
)
def test_yaml_becomes_json(text: str, json: bytes) -> None:
    assert to_json(text.encode()) == (json, [])


def test_keys_given_twice_are_found() -> None:
    assert to_json(b"a: 1\na: 2\n") == (b'{"a":2}', ['yaml: unmarshal errors:\n  line 2: key "a" already set in map'])


@pytest.mark.parametrize(
    "text",
    [
        b"a: [",
        b"a: b: c",
        b"a: *x",
        b"[" * 5000,
        b"\n".join(b"  " * n + b"a:" for n in range(2000)),
        b"a: &x [*x]",
        b"? [a]\n: b",
        b"? {a: b}\n: c",
        b"a: .nan",
        b"a: .inf",
        b"a: 0b2",
        b"a: 1:99999999999999999999:2",
        b"\xff",
        b"a: !!int x",
        b"<<: 3",
        b"a: !!binary x\n<<: [1]",
    ],
)
def test_what_is_not_taken_is_a_yaml_error(text: bytes) -> None:
    try:
        to_json(text)
    except YAMLError as error:
        assert str(error).startswith("error converting YAML to JSON: yaml: ")


def test_as_many_values_as_take_seconds_are_refused() -> None:
    with pytest.raises(YAMLError, match="document has more than 400000 values"):
        to_json(b"a: [" + b"1," * MAX_VALUES + b"]")


def test_a_number_of_a_million_parts_takes_no_time() -> None:
    text = b"1" + b":59" * 900_000
    assert to_json(b"a: " + text) == (b'{"a":"' + text + b'"}', [])


def test_an_alias_bomb_is_refused() -> None:
    # yaml.v2 decode.go: "document contains excessive aliasing"
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    with pytest.raises(YAMLError, match="excessive aliasing"):
        to_json("\n".join(lines).encode())


def test_a_yaml_body_is_checked_like_json(decoder: Decoder) -> None:
    document, warnings = decoder.decode_yaml(b"data: {a: b}\nfoo: 1\ndata: {c: d}\n", *CONFIG_MAP)
    assert document["data"] == {"c": "d"}
    assert warnings == ['yaml: unmarshal errors:\n  line 3: key "data" already set in map', 'unknown field "foo"']


@pytest.mark.parametrize("text", [b"a: [", b"- 1", b"x", b"kind: 3"])
def test_a_bad_yaml_body_is_a_400(decoder: Decoder, text: bytes) -> None:
    with pytest.raises(StatusError) as caught:
        decoder.decode_yaml(text, *CONFIG_MAP)
    assert caught.value.code == 400


def test_type_errors_have_the_usual_words(decoder: Decoder) -> None:
    with pytest.raises(StatusError) as caught:
        decoder.decode_yaml(b"data: {a: 1}", *CONFIG_MAP)
    error: Any = caught.value.message
    assert error.endswith("json: cannot unmarshal number into Go struct field ConfigMap.data of type string")
