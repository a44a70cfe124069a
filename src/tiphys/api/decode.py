"""Request bodies to documents: media type, kind and version, types, defaults (apiserver `endpoints/handlers`)."""

from __future__ import annotations

from typing import Any

import orjson
import yaml

from tiphys.api.call import Call
from tiphys.api.catalog import api_version
from tiphys.api.encoding import to_stored
from tiphys.api.options import WriteOptions
from tiphys.base.document import Document
from tiphys.base.field_error import quoted
from tiphys.base.http import JSON
from tiphys.base.status import StatusError, bad_request, unsupported_media_type

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
YAML = "application/yaml"
ACCEPTED = (JSON, YAML)
_SCHEME = "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"


def decode_object(call: Call, options: WriteOptions) -> Document:
    """The body as an object of the request's resource, defaulted, in its storage version.

    `metadata` is always there. Raises StatusError 400 and 415 in upstream's words.
    """
    resource = call.resource
    kind = resource.kind
    document = decode_kind(call, options, kind.group, resource.version, kind.kind)
    document = to_stored(resource, document)
    if kind.default:
        kind.default(document, call.context(options))
    return document


def decode_kind(call: Call, options: WriteOptions, group: str, version: str, kind: str) -> Document:
    """The body as a document of this kind, which need not be the resource's (a Binding, a Scale)."""
    body = body_as_json(call)
    try:
        document, warnings = call.api.decoder.decode(body, group, version, kind, validation=options.field_validation)
    except StatusError:
        _match_kind(call, _peek(body), group, version, kind)
        raise
    _match_kind(call, document, group, version, kind)
    call.warnings += warnings
    document["apiVersion"], document["kind"] = api_version(group, version), kind
    if not document.get("metadata"):
        document["metadata"] = {}
    return document


def body_as_json(call: Call) -> bytes:
    """The body; YAML is turned into JSON first. Raises StatusError 415 (NegotiateInputSerializer), 400."""
    content_type = call.request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type in ("", JSON):
        return call.request.body
    if media_type != YAML:
        raise unsupported_body(ACCEPTED)
    return yaml_as_json(call.request.body)


def unsupported_body(accepted: tuple[str, ...]) -> StatusError:
    return unsupported_media_type(
        f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    )


def yaml_as_json(body: bytes) -> bytes:
    """Raises StatusError 400 for what is not YAML, or is not JSON's kind of data."""
    try:
        return orjson.dumps(yaml.load(body, Loader=Loader), option=orjson.OPT_NON_STR_KEYS)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise bad_request(f"error converting YAML to JSON: yaml: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _peek(body: bytes) -> Document:
    try:
        found: Any = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _match_kind(call: Call, document: Document, group: str, version: str, kind: str) -> None:
    """What is named must be what is expected; what is not named is taken for it. Raises StatusError 400."""
    expected = api_version(group, version)
    given_version, given_kind = document.get("apiVersion") or expected, document.get("kind") or kind
    if (given_version, given_kind) == (expected, kind):
        return
    if not isinstance(given_version, str) or not isinstance(given_kind, str):
        return
    given_group, _, short = given_version.rpartition("/")
    if not call.api.catalog.definitions.definition(given_group, short, given_kind):
        why = f"no kind {quoted(given_kind)} is registered for version {quoted(given_version)} in scheme {quoted(_SCHEME)}"
        raise _cannot_handle(given_kind, short, kind, why)
    if given_kind != kind or given_group != group:
        why = f"converting ({short}.{given_kind}) to ({_go_package(group)}.{kind}): unknown conversion"
        raise _cannot_handle(given_kind, short, kind, why)
    raise bad_request(
        f"the API version in the data ({given_version}) does not match the expected API version ({expected})"
    )


def _cannot_handle(given: str, version: str, kind: str, why: str) -> StatusError:
    return bad_request(f"{given} in version {quoted(version)} cannot be handled as a {kind}: {why}")


def _go_package(group: str) -> str:
    """The package of upstream's internal types: `core`, `apps`, `rbac`."""
    return group.partition(".")[0] or "core"
