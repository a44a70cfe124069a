"""Bodies as an audit event shows them: as JSON, whatever they were sent in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from tiphys.base.http import JSON, PROTOBUF
from tiphys.schema.definitions import Definitions

_META = "io.k8s.apimachinery.pkg.apis.meta.v1"


@dataclass(frozen=True, slots=True)
class Content:
    """A body not read yet."""

    body: bytes
    media_type: str


class Reader:
    """Reads bodies. What cannot be read is left out of the event: the API has refused or not understood it either."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def read(self, content: Content | None, *, managed_fields: bool = True) -> Any:
        """The JSON value, or None."""
        if content is None or not content.body:
            return None
        media_type = content.media_type.partition(";")[0].strip().lower()
        found = self._read(content.body, media_type or JSON)
        if not managed_fields:
            _drop_managed_fields(found)
        return found

    def _read(self, body: bytes, media_type: str) -> Any:
        if media_type == PROTOBUF:
            return self._read_protobuf(body)
        if media_type.endswith("yaml"):
            return _read_yaml(body)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            return None

    def _read_protobuf(self, body: bytes) -> Any:
        from tiphys.wire.envelope import open_envelope, read_message  # only for those who speak it
        from tiphys.wire.malformed import Malformed
        from tiphys.wire.messages import message_of

        try:
            unknown = open_envelope(body)
            group, _, version = unknown.api_version.rpartition("/")
            definition = self._definitions.definition(group, version, unknown.kind) or f"{_META}.{unknown.kind}"
            message = message_of(definition)
            if message is None:
                return None
            return {"kind": unknown.kind, "apiVersion": unknown.api_version, **read_message(message, unknown.raw)}
        except Malformed:
            return None


def _read_yaml(body: bytes) -> Any:
    import yaml

    try:
        found = yaml.load(body, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return orjson.loads(orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return None


def _drop_managed_fields(found: Any) -> None:
    """Of an object, of a list's items and of a table's rows."""
    if not isinstance(found, dict):
        return
    if isinstance(found.get("metadata"), dict):
        found["metadata"].pop("managedFields", None)
    for item in _list(found.get("items")):
        _drop_managed_fields(item)
    for row in _list(found.get("rows")):
        _drop_managed_fields(row.get("object") if isinstance(row, dict) else None)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
