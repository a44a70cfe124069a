"""Secret: credentials by name; its type says which names it must have.

From upstream's `ValidateSecret`. `stringData` is write-only: it is merged into `data` when a body is decoded
(`Convert_v1_Secret_To_core_Secret`).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence

import orjson

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required, too_long
from tiphys.base.name_rules import config_map_key
from tiphys.kinds.shapes.columns import AGE, count, text
from tiphys.kinds.shapes.immutable import MAX_SIZE, data_size, immutable_errors

SERVICE_ACCOUNT_TOKEN = "kubernetes.io/service-account-token"
SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name"

Data = Mapping[str, str]


def default(document: Document, context: Context) -> None:
    document["type"] = document.get("type") or "Opaque"
    texts = document.pop("stringData", None)
    if texts:
        encoded = {key: base64.b64encode(value.encode()).decode() for key, value in texts.items()}
        document["data"] = {**(document.get("data") or {}), **encoded}


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    data: Data = document.get("data") or {}
    errors: list[FieldError] = []
    for key in sorted(data):
        errors += [invalid_value(f"data[{key}]", key, detail) for detail in config_map_key(key)]
    if data_size(data) > MAX_SIZE:
        errors.append(too_long("data", "", MAX_SIZE))
    return errors + _type_errors(document, data)


def _type_errors(document: Document, data: Data) -> list[FieldError]:
    type_ = document.get("type") or ""
    if type_ == SERVICE_ACCOUNT_TOKEN:
        annotations = (document.get("metadata") or {}).get("annotations") or {}
        if annotations.get(SERVICE_ACCOUNT_NAME):
            return []
        return [required(f"metadata.annotations[{SERVICE_ACCOUNT_NAME}]")]
    check = _CHECKS.get(type_)
    return check(data) if check else []


def _json(key: str) -> Callable[[Data], list[FieldError]]:
    def check(data: Data) -> list[FieldError]:
        if key not in data:
            return [required(f"data[{key}]")]
        try:
            if isinstance(orjson.loads(base64.b64decode(data[key] or "")), dict | None):
                return []
            detail = "json: cannot unmarshal value into Go value of type map[string]interface {}"
        except ValueError as error:
            detail = _go_syntax_error(data[key], error)
        return [invalid_value(f"data[{key}]", "<secret contents redacted>", detail)]

    return check


def _go_syntax_error(value: str, error: ValueError) -> str:
    """Go's words where it is plain what they are, ours otherwise."""
    return "unexpected end of JSON input" if not value else str(error)


def _basic_auth(data: Data) -> list[FieldError]:
    if "username" in data or "password" in data:
        return []
    return [required("data[%s][username]"), required("data[%s][password]")]


def _ssh_auth(data: Data) -> list[FieldError]:
    return [] if data.get("ssh-privatekey") else [required("data[%s][ssh-privatekey]")]


def _tls(data: Data) -> list[FieldError]:
    return [required(f"data[{key}]") for key in ("tls.crt", "tls.key") if key not in data]


_CHECKS: dict[str, Callable[[Data], list[FieldError]]] = {
    "kubernetes.io/dockercfg": _json(".dockercfg"),
    "kubernetes.io/dockerconfigjson": _json(".dockerconfigjson"),
    "kubernetes.io/basic-auth": _basic_auth,
    "kubernetes.io/ssh-auth": _ssh_auth,
    "kubernetes.io/tls": _tls,
}


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    errors: list[FieldError] = []
    if new.get("type") != old.get("type"):
        errors.append(invalid_value("type", new.get("type"), "field is immutable"))
    return [*errors, *immutable_errors(new, old, ("data",)), *validate(new, context)]


def fields(document: Document) -> dict[str, str]:
    return {"type": document.get("type") or ""}


KIND = Kind(
    kind="Secret",
    plural="secrets",
    columns=(Column("Type", text("type")), Column("Data", count("data")), AGE),
    has_generation=False,
    default=default,
    validate=validate,
    validate_update=validate_update,
    fields=fields,
)
