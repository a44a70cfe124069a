"""Taints of a node (upstream's `validateNodeTaints`)."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value, required, unsupported
from tiphys.base.name_rules import label_key, label_value

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def taint_errors(taints: Sequence[Document], path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        place, key, effect = f"{path}[{index}]", taint.get("key") or "", taint.get("effect") or ""
        value = taint.get("value") or ""
        errors += [invalid_value(f"{place}.key", key, detail) for detail in label_key(key)]
        if wrong := label_value(value):
            errors.append(invalid_value(f"{place}.value", value, ";".join(wrong)))
        if not effect:
            errors.append(required(f"{place}.effect"))
        elif effect not in EFFECTS:
            errors.append(unsupported(f"{place}.effect", effect, EFFECTS))
        if (key, effect) in seen:
            detail = "taints must be unique by key and effect pair"
            errors.append(FieldError("FieldValueDuplicate", place, _as_go(taint), detail))
        seen.add((key, effect))
    return errors


def _as_go(taint: Document) -> orjson.Fragment:
    """A taint as upstream prints it: its internal type, with Go's field names in Go's order."""
    shown = {
        "Key": taint.get("key") or "",
        "Value": taint.get("value") or "",
        "Effect": taint.get("effect") or "",
        "TimeAdded": taint.get("timeAdded"),
    }
    return orjson.Fragment(orjson.dumps(shown))
