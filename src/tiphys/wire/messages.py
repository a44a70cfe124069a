"""The codecs of all definitions, each made when first asked for and kept."""

from __future__ import annotations

from functools import cache

from tiphys.wire import api_value, schema_union
from tiphys.wire.field_number import fields_of
from tiphys.wire.message import Message
from tiphys.wire.scalar import SCALARS, Codec

_VALUES: dict[str, Codec] = {
    **SCALARS,
    "quantity": api_value.Quantity(),
    "intOrString": api_value.IntOrString(),
    "time": api_value.Time(micro=False),
    "microTime": api_value.Time(micro=True),
    "duration": api_value.Duration(),
    "raw": api_value.Raw(),
}
_UNIONS = {
    "schemaOrArray": schema_union.SchemaOrArray,
    "schemaOrBool": schema_union.SchemaOrBool,
    "schemaOrStrings": schema_union.SchemaOrStrings,
}
_SCHEMA = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
_made: dict[str, Message] = {}


@cache
def message_of(definition: str) -> Message | None:
    """The codec of a definition (`io.k8s.api.core.v1.Pod`); None if its field numbers are not known."""
    return _message(definition) if fields_of(definition) is not None else None


def _message(definition: str) -> Message:
    """Fields may lead back to the message that is being made."""
    found = _made.get(definition)
    if found is None:
        found = _made[definition] = Message(definition)
        for name, field in (fields_of(definition) or {}).items():
            found.define(name, field, _codec(field.type))
    return found


def _codec(type: str) -> Codec:
    if type in _VALUES:
        return _VALUES[type]
    if type in _UNIONS:
        return _UNIONS[type](_message(_SCHEMA))
    if type.startswith("items[]"):
        return api_value.Items(_codec(type.removeprefix("items[]")))
    return _message(type)
