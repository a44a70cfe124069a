"""From a request's body to a document: parsed, type-checked, pruned and in the form upstream would write it.

Two ways lead through. The *gate* (one msgspec Struct a definition) takes a body only if it already is what upstream
would write, but for structs that are always written, which `fill` adds: nearly every body a program sends, in some
ten microseconds a pod. Everything else (nulls, empty values, unknown fields, `cpu: 0.5`, wrong types) takes the
*careful* way: one walk in the order of the text, some five times as long, which mends what upstream mends and words
what upstream refuses (apimachinery `serializer/json`, sigs.k8s.io/json, apiserver `transformDecodeError`).

A body beyond upstream's limits or ours (nesting, invalid UTF-8) is a 400; no body raises anything but StatusError.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value
from tiphys.base.status import StatusError, bad_request, invalid, request_too_large
from tiphys.schema import json_syntax
from tiphys.schema.definitions import Definitions, GroupVersionKind
from tiphys.schema.fill import Filler, Fillers
from tiphys.schema.go_value import printed
from tiphys.schema.leaf import decode_hook
from tiphys.schema.shape import Shapes
from tiphys.schema.walk import Pairs, Refused, Walk, json_kind
from tiphys.schema.yaml_body import YAMLError, to_json

IGNORE, WARN, STRICT = "Ignore", "Warn", "Strict"

_META_TYPE = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
_ALSO_TAKEN = {("policy", "v1beta1", "Eviction"): ("policy", "v1", "Eviction")}
"""Bodies of another version that upstream's handler of a kind accepts (registry/core/pod/storage/eviction.go)."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What a kind's bodies are read with."""

    group_version: str
    definition: str
    gate: Any
    fill: Filler | None


class Decoder:
    """Reads bodies of any kind of one version. What a kind needs is made at its first body and kept."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._shapes = Shapes(definitions)
        self._fillers = Fillers(self._shapes)
        self._targets: dict[GroupVersionKind, _Target] = {}
        self._making = threading.Lock()

    def decode(
        self, body: bytes, group: str, version: str, kind: str, *, validation: str = WARN
    ) -> tuple[Document, list[str]]:
        """The document in a JSON body of a kind, and the texts of warnings for the client.

        `validation` is fieldValidation: Strict refuses unknown and duplicate fields, Warn (also for "") tells them,
        Ignore does not; all drop them. Raises StatusError 400 for what is no such object.
        """
        document = self._ordinary(body, group, version, kind, _parse(body, kind), own=False)
        return self._careful(body, (group, version, kind), validation, []) if document is None else (document, [])

    def _ordinary(
        self, body: bytes, group: str, version: str, kind: str, document: Any, *, own: bool
    ) -> Document | None:
        """The parsed body if it passes the gate, None if it must be read with care. A body of our `own` making has no
        key twice; one that does not say what it is, as those of some clients, is what was asked for."""
        target = self._target(group, version, kind)
        if type(document) is not dict or document.get("kind", kind) != kind:
            return None
        if document.get("apiVersion", target.group_version) != target.group_version:
            return None
        try:
            msgspec.convert(document, target.gate, dec_hook=decode_hook)
        except (msgspec.ValidationError, ValueError):
            return None
        if not own and json_syntax.has_duplicates(document, body):
            return None
        document["apiVersion"], document["kind"] = target.group_version, kind
        if target.fill:
            target.fill(document)
        return document

    def decode_yaml(
        self, body: bytes, group: str, version: str, kind: str, *, validation: str = WARN
    ) -> tuple[Document, list[str]]:
        """As `decode`, for a body of one YAML document."""
        try:
            text, duplicates = to_json(body)
        except YAMLError as error:
            raise unrecognized(kind, str(error), body) from error
        _parse(text, kind)
        return self._careful(text, (group, version, kind), validation, duplicates)

    def check(
        self, document: Document, group: str, version: str, kind: str, *, validation: str = WARN
    ) -> tuple[Document, list[str]]:
        """As `decode`, for a document parsed before. The result shares nothing with it."""
        return self._check(_dump(document), group, version, kind, validation)

    def _check(self, body: bytes, group: str, version: str, kind: str, validation: str) -> tuple[Document, list[str]]:
        document = self._ordinary(body, group, version, kind, _parse(body, kind), own=True)
        return self._careful(body, (group, version, kind), validation, []) if document is None else (document, [])

    def check_patched(
        self,
        document: Document,
        group: str,
        version: str,
        kind: str,
        *,
        validation: str = WARN,
        strategic_patch: Document | None = None,
        found: Sequence[str] = (),
    ) -> tuple[Document, list[str]]:
        """As `check`, for what a patch made: refused with 422 and the field `patch` (apiserver handlers/patch.go).

        The value shown is the patched document or, where upstream shows that instead, the strategic merge patch.
        `found` is what `patch_body` found in the patch: told or refused together with the object's findings.
        """
        body = _dump(document)
        lenient = WARN if validation == STRICT else validation
        try:
            result, warnings = self._check(body, group, version, kind, lenient)
            warnings = [] if validation == IGNORE else [*found, *warnings]
            if warnings and validation == STRICT:
                raise Refused("strict decoding error: " + ", ".join(warnings))
        except (Refused, _BodyRefused) as refusal:
            text = refusal.text if isinstance(refusal, _BodyRefused) else str(refusal)
            value = body.decode() if strategic_patch is None else printed(strategic_patch)
            raise _invalid_patch(value, text) from refusal
        return result, warnings

    def _target(self, group: str, version: str, kind: str) -> _Target:
        found = self._targets.get((group, version, kind))
        if found is None:
            with self._making:  # shapes under construction are not to be seen by another thread
                found = self._targets[group, version, kind] = self._make_target(group, version, kind)
        return found

    def _make_target(self, group: str, version: str, kind: str) -> _Target:
        definition = self.definitions.definition(group, version, kind)
        if definition is None:
            raise bad_request(_not_registered(group, version, kind))
        gate = self._shapes.named(definition).gate(False)
        return _Target(_group_version(group, version), definition, gate, self._fillers.named(definition))

    def _careful(
        self, body: bytes, asked: GroupVersionKind, validation: str, duplicates: list[str]
    ) -> tuple[Document, list[str]]:
        value = json_syntax.read(body)
        value = Pairs() if value is None else value
        actual = _gvk_of(value, asked, body)
        definition = self._definition_of(actual, asked)
        walk = Walk()
        try:
            document: Document = self._shapes.named(definition).read(value, walk)
            if walk.saved:
                raise Refused(walk.saved)
        except Refused as refusal:
            raise refused(actual, asked, str(refusal)) from refusal
        except RecursionError as error:  # schemas in schemas: several calls a level
            raise refused(actual, asked, json_syntax.TOO_DEEP) from error
        strict = duplicates + walk.strict
        if strict and validation == STRICT:
            raise refused(actual, asked, "strict decoding error: " + ", ".join(strict))
        _check_version(actual, asked)
        document["apiVersion"], document["kind"] = _group_version(*actual[:2]), actual[2]
        return document, [] if validation == IGNORE else strict

    def _definition_of(self, actual: GroupVersionKind, asked: GroupVersionKind) -> str:
        """The definition of what the body says it is. Raises StatusError if that cannot be what was asked for."""
        found = self.definitions.definition(*_ALSO_TAKEN.get(actual, actual))
        if found is None:
            raise refused(actual, asked, _not_registered(*actual))
        if actual[2] != asked[2]:
            was, wanted = f"{actual[1]}.{actual[2]}", f"{asked[0].split('.')[0] or 'core'}.{asked[2]}"
            raise refused(actual, asked, f"converting ({was}) to ({wanted}): unknown conversion")
        return found


class _BodyRefused(StatusError):
    """A 400 whose `text` is the decoder's own, without the handler's frame."""

    text: str


def refused(actual: GroupVersionKind, asked: GroupVersionKind, text: str) -> StatusError:
    """400 for a body that says it is `actual` (rest.go transformDecodeError)."""
    framed = f'{actual[2]} in version "{actual[1]}" cannot be handled as a {asked[2]}: {text}'
    error = _BodyRefused(400, "BadRequest", framed)
    error.text = text
    return error


def _invalid_patch(value: str, text: str) -> StatusError:
    """422 of no kind in particular, as upstream has it."""
    error = invalid("", "", "", [invalid_value("patch", value, text)])
    if error.details:
        error.details.pop("kind", None)
    return error


def _parse(body: bytes, kind: str) -> Any:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise unrecognized(kind, _meta_error(json_syntax.syntax_error(body)), body) from error
    if json_syntax.too_deep(document, body):
        raise unrecognized(kind, _meta_error(json_syntax.TOO_DEEP), body)
    if json_syntax.too_many_parts(document, body):
        raise too_many_parts()
    return document


def too_many_parts() -> StatusError:
    limit = f"{json_syntax.MAX_PARTS} objects and lists"
    return request_too_large(f"Request entity too large: limit is {limit}")


def _dump(document: Document) -> bytes:
    try:
        return orjson.dumps(document)
    except TypeError as error:
        raise bad_request(json_syntax.TOO_DEEP) from error


def _gvk_of(value: Any, asked: GroupVersionKind, body: bytes) -> GroupVersionKind:
    """What a body says it is, `asked` standing in for what it leaves out (json.go gvkWithDefaults)."""
    if type(value) is not Pairs:
        found = f"json: cannot unmarshal {json_kind(value)} into Go value of type {_META_TYPE}"
        raise unrecognized(asked[2], _meta_error(found), body)
    said = {"apiVersion": "", "kind": ""}
    for key, item in value:
        if key in said and item is not None:
            if type(item) is not str:
                found = f"json: cannot unmarshal {json_kind(item)} into Go struct field .{key} of type string"
                raise unrecognized(asked[2], _meta_error(found), body)
            said[key] = item
    group, version = _split(said["apiVersion"], asked[2], body)
    kind = said["kind"] or asked[2]
    if not version:
        return asked[0], asked[1], kind
    return group, version, kind


def _split(api_version: str, kind: str, body: bytes) -> tuple[str, str]:
    if api_version in ("", "/"):
        return "", ""
    if api_version.count("/") > 1:
        raise unrecognized(kind, f"unexpected GroupVersion string: {api_version}", body)
    group, _, version = api_version.rpartition("/")
    return group, version


def _check_version(actual: GroupVersionKind, asked: GroupVersionKind) -> None:
    """create.go: the API version in the data must be the request's."""
    if actual[:2] != asked[:2] and actual not in _ALSO_TAKEN and asked[2] != "DeleteOptions":
        said, expected = _group_version(*actual[:2]), _group_version(*asked[:2])
        raise bad_request(
            f"the API version in the data ({said}) does not match the expected API version ({expected})"
        )


def _not_registered(group: str, version: str, kind: str) -> str:
    said = _group_version(group, version)
    return f'no kind "{kind}" is registered for version "{said}" in scheme "pkg/api/legacyscheme/scheme.go:30"'


def _group_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def _meta_error(text: str) -> str:
    return f"couldn't get version/kind; json parse error: {text}"


def unrecognized(kind: str, text: str, body: bytes) -> StatusError:
    """400 for a body that does not even say what it is (rest.go transformDecodeError)."""
    return bad_request(f"the object provided is unrecognized (must be of type {kind}): {text} ({_summary(body)})")


def _summary(body: bytes) -> str:
    """The body's beginning, in hexadecimal unless it looks like an object (rest.go summarizeData)."""
    if not body:
        return "<empty>"
    head = body[:30].decode("utf-8", "replace") if body[:1] == b"{" else body[:30].hex()
    return f"{head} ..." if len(body) > 30 else head
