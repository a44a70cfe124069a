"""Upstream: ValidateConfigMap, ValidateSecret, their updates, and the conversion of stringData."""

import base64

import pytest
from tests.unit.kinds.hooks import cells, create_errors, defaulted, update_errors

from tiphys.base.document import Document
from tiphys.kinds.core import config_map, secret


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def named(**fields: object) -> Document:
    return {"metadata": {"name": "x"}, **fields}


BAD_KEY = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME', "
    " or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


@pytest.mark.parametrize(
    "document, errors",
    [
        (named(data={"a": "1"}), []),
        (named(data={"a b": "1"}), [f'data[a b]: Invalid value: "a b": {BAD_KEY}']),
        (
            named(data={"a": "1"}, binaryData={"a": "MQ=="}),
            ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
        ),
        (named(data={"a": "x" * (1024 * 1024)}), []),
        (named(data={"a": "x" * (1024 * 1024), "b": "y"}), ["[]: Too long: may not be more than 1048576 bytes"]),
        (
            named(data={"a": "x" * (1024 * 1024 - 1)}, binaryData={"b": encoded("yy")}),
            ["[]: Too long: may not be more than 1048576 bytes"],
        ),
        (named(data={"a": "x" * (1024 * 1024 - 2)}, binaryData={"b": encoded("yy")}), []),
    ],
)
def test_config_maps(document: Document, errors: list[str]) -> None:
    assert create_errors(config_map.KIND, document) == errors


@pytest.mark.parametrize("kind", [config_map.KIND, secret.KIND], ids=lambda kind: kind.kind)
def test_immutable(kind: object) -> None:
    old = named(data={"a": "MQ=="}, immutable=True)
    words = "Forbidden: field is immutable when `immutable` is set"
    assert update_errors(kind, old, named(data={"a": "Mg=="})) == [f"immutable: {words}", f"data: {words}"]  # type: ignore[arg-type]
    assert update_errors(kind, old, named(data={"a": "MQ=="}, immutable=True)) == []  # type: ignore[arg-type]


def test_string_data_is_merged_and_not_kept() -> None:
    made = defaulted(secret.KIND, named(stringData={"a": "new", "b": "é"}, data={"a": encoded("old"), "c": "eA=="}))
    assert made["data"] == {"a": encoded("new"), "b": encoded("é"), "c": "eA=="}
    assert "stringData" not in made and made["type"] == "Opaque"


@pytest.mark.parametrize(
    "type_, data, errors",
    [
        ("Opaque", {}, []),
        ("my.own/type", {}, []),
        ("kubernetes.io/tls", {"tls.crt": "eA=="}, ["data[tls.key]: Required value"]),
        ("kubernetes.io/tls", {}, ["data[tls.crt]: Required value", "data[tls.key]: Required value"]),
        ("kubernetes.io/dockerconfigjson", {}, ["data[.dockerconfigjson]: Required value"]),
        ("kubernetes.io/dockerconfigjson", {".dockerconfigjson": encoded("{}")}, []),
        (
            "kubernetes.io/dockercfg",
            {".dockercfg": ""},
            ['data[.dockercfg]: Invalid value: "<secret contents redacted>": unexpected end of JSON input'],
        ),
        (
            "kubernetes.io/basic-auth",
            {},
            ["data[%s][username]: Required value", "data[%s][password]: Required value"],
        ),
        ("kubernetes.io/basic-auth", {"password": ""}, []),
        ("kubernetes.io/ssh-auth", {"ssh-privatekey": ""}, ["data[%s][ssh-privatekey]: Required value"]),
        (
            "kubernetes.io/service-account-token",
            {},
            ["metadata.annotations[kubernetes.io/service-account.name]: Required value"],
        ),
    ],
)
def test_types_of_secrets(type_: str, data: Document, errors: list[str]) -> None:
    assert create_errors(secret.KIND, named(type=type_, data=data)) == errors


def test_the_type_stays() -> None:
    errors = update_errors(secret.KIND, named(type="a/b"), named(type="c/d"))
    assert errors == ['type: Invalid value: "c/d": field is immutable']


def test_columns() -> None:
    assert cells(config_map.KIND, named(data={"a": ""}, binaryData={"b": ""}))["Data"] == 2
    shown = cells(secret.KIND, named(type="Opaque", data={"a": ""}))
    assert (shown["Type"], shown["Data"]) == ("Opaque", 1)
