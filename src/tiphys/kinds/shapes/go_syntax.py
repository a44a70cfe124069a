"""How upstream prints structured values in error messages.

Until 1.33 a field error showed maps and structs in Go's own syntax (`%#v`), since 1.34 as JSON (apimachinery
`util/validation/field/errors.go`, "Nicer value rendering in API errors"). Values are given here in both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.base.field_error import Verbatim, quoted

JSON_SINCE = 34


def string_map(value: Mapping[str, str] | None, minor: int) -> Verbatim:
    """`map[string]string{"app":"x"}`, since 1.34 `{"app":"x"}`."""
    if minor < JSON_SINCE:
        return Verbatim(_go_map(value))
    return Verbatim("null" if value is None else _json(dict(sorted(value.items()))))


def label_selector(selector: Document | None, minor: int) -> Verbatim:
    """`v1.LabelSelector{MatchLabels:…, MatchExpressions:…}`, since 1.34 `{"matchLabels":…}`."""
    if selector is None:
        return Verbatim('"null"' if minor < JSON_SINCE else "null")
    labels, expressions = selector.get("matchLabels"), selector.get("matchExpressions")
    if minor < JSON_SINCE:
        return Verbatim(
            f"v1.LabelSelector{{MatchLabels:{_go_map(labels)}, MatchExpressions:{_go_list(expressions)}}}"
        )
    shown: Document = {"matchLabels": dict(sorted(labels.items()))} if labels else {}
    if expressions:
        shown["matchExpressions"] = [_requirement(expression) for expression in expressions]
    return Verbatim(_json(shown))


def int_or_string(value: int | str, minor: int) -> Verbatim:
    """`intstr.IntOrString{Type:1, IntVal:0, StrVal:"5x"}`, since 1.34 `"5x"`."""
    if minor >= JSON_SINCE:
        return Verbatim(_json(value))
    kind, number, text = (1, 0, value) if isinstance(value, str) else (0, value, "")
    return Verbatim(f"intstr.IntOrString{{Type:{kind}, IntVal:{number}, StrVal:{quoted(str(text))}}}")


def struct(name: str, fields: Sequence[tuple[str, str, Any]], minor: int) -> Verbatim:
    """A struct of the internal types, which have no JSON names: fields are (Go name, Go type, value).

    A pointer that is set prints in Go syntax as its address, which nobody can reproduce; its type stands for it.
    """
    if minor >= JSON_SINCE:
        return Verbatim(_json({go_name: value for go_name, _, value in fields}))
    return Verbatim(f"{name}{{{', '.join(f'{field}:{_go_value(kind, value)}' for field, kind, value in fields)}}}")


def _go_value(kind: str, value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    return f"({kind})(nil)" if value is None else f"({kind})(0x0)"


def _go_map(value: Mapping[str, str] | None) -> str:
    if value is None:
        return "map[string]string(nil)"
    return "map[string]string{" + ", ".join(f"{quoted(k)}:{quoted(v)}" for k, v in sorted(value.items())) + "}"


def _go_list(expressions: Sequence[Document] | None) -> str:
    if expressions is None:
        return "[]v1.LabelSelectorRequirement(nil)"
    return "[]v1.LabelSelectorRequirement{" + ", ".join(map(_go_requirement, expressions)) + "}"


def _go_requirement(expression: Document) -> str:
    values = expression.get("values")
    shown = "[]string(nil)" if values is None else "[]string{" + ", ".join(map(quoted, values)) + "}"
    key, operator = quoted(expression.get("key") or ""), quoted(expression.get("operator") or "")
    return f"v1.LabelSelectorRequirement{{Key:{key}, Operator:{operator}, Values:{shown}}}"


def _requirement(expression: Document) -> Document:
    shown = {"key": expression.get("key") or "", "operator": expression.get("operator") or ""}
    return {**shown, "values": expression["values"]} if expression.get("values") else shown


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
