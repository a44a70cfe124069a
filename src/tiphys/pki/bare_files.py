"""Files out of cfssl's JSON, as cfssljson writes them: NAME.pem, NAME-key.pem for the owner alone, NAME.csr."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiphys.pki import go_json
from tiphys.pki.files import write_atomically
from tiphys.pki.pki_error import PkiError

_FILES = (
    (("cert", "certificate"), ".pem", 0o644),
    (("key", "private_key"), "-key.pem", 0o600),
    (("csr", "certificate_request"), ".csr", 0o644),
)


def to_json(parts: Mapping[str, bytes]) -> str:
    """One line, keys sorted, as cfssl prints what it made."""
    return json.dumps({key: parts[key].decode() for key in sorted(parts)}, separators=(",", ":"))


def from_json(data: bytes) -> dict[str, bytes]:
    """What was made, out of cfssl's JSON or of its API's answer. Raises PkiError in cfssljson's words."""
    try:
        found = go_json.load(data)
        top = go_json.Struct.of(found, "map[string]interface {}")
    except PkiError as error:
        raise PkiError(f"Failed to parse input: {error}") from None
    if "success" in top.fields:
        top = go_json.Struct(_result(top.fields), top.name)
    return {
        keys[0]: value.encode()
        for keys, _, _ in _FILES
        if isinstance(value := next((top.fields[key] for key in keys if key in top.fields), None), str) and value
    }


def _result(answer: Mapping[str, Any]) -> dict[str, Any]:
    if not answer["success"]:
        errors = [error.get("message") for error in answer.get("errors") or () if isinstance(error, dict)]
        raise PkiError("\n\t".join(["Request failed:", *map(str, errors)]))
    result = answer.get("result")
    return result if isinstance(result, dict) else {}


def write(parts: Mapping[str, bytes], name: str) -> list[Path]:
    """The files written. Raises OSError."""
    written = []
    for keys, ending, mode in _FILES:
        if keys[0] in parts:
            path = Path(f"{name}{ending}")
            write_atomically(path, parts[keys[0]], mode)
            written.append(path)
    return written
