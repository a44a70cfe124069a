"""What form of answer a request accepts (apiserver `endpoints/handlers/negotiation`).

An Accept header is a list of clauses; the first, by descending q, that the server can give is taken. A clause may ask
for another form of the object: `application/json;as=Table;v=v1;g=meta.k8s.io`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tiphys.base.http import JSON, PROTOBUF, YAML
from tiphys.base.status import StatusError, not_acceptable

META_GROUP = "meta.k8s.io"
META_VERSIONS = ("v1", "v1beta1")
TRANSFORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
OFFERED = (JSON, YAML, PROTOBUF)
"""In the order of upstream's serializers (apimachinery `runtime/serializer/codec_factory.go`)."""
_STREAMED = (JSON, PROTOBUF)


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause of an Accept header, its parameters in lower-case keys."""

    media_type: str
    parameters: dict[str, str]
    quality: float = 1.0


@dataclass(frozen=True, slots=True)
class Form:
    """The form agreed on. `kind` is empty for the object itself, else one of TRANSFORMS in meta.k8s.io/`version`.

    `media_type` is one of OFFERED.
    """

    kind: str = ""
    version: str = ""
    pretty: bool = False
    media_type: str = JSON


PLAIN = Form()


def negotiate(accept: str, *, stream: bool = False) -> Form:
    """The form to answer in. Raises StatusError 406 in upstream's words when there is none, as there is no YAML of a
    stream."""
    if not accept or accept == JSON:
        return PLAIN
    form = _negotiate(accept)
    if form is None or (stream and form.media_type not in _STREAMED):
        raise _refused(stream)
    return form


@lru_cache(maxsize=256)
def _negotiate(accept: str) -> Form | None:
    for clause in parse_accept(accept):
        for media_type in OFFERED:
            if clause.media_type in (media_type, "application/*", "*/*"):
                form = _form(media_type, clause.parameters)
                if form is not None:
                    return form
    return None


def _form(media_type: str, parameters: dict[str, str]) -> Form | None:
    """acceptMediaTypeOptions, and AllowsMediaTypeTransform: there is no Table in protobuf."""
    stream = parameters.get("stream", "")
    if stream and (stream != "watch" or media_type not in _STREAMED):
        return None
    if parameters.get("sv"):
        return None
    pretty = parameters.get("pretty") == "1"
    if not parameters.keys() & {"as", "g", "v"}:
        return Form(pretty=pretty, media_type=media_type)
    kind, version = parameters.get("as", ""), parameters.get("v", "")
    if kind not in TRANSFORMS or parameters.get("g") != META_GROUP or version not in META_VERSIONS:
        return None
    return None if kind == "Table" and media_type == PROTOBUF else Form(kind, version, pretty, media_type)


def accepts_table(accept: str) -> str | None:
    """The meta.k8s.io version of the Table to answer with, or None where the object itself is wanted."""
    form = _negotiate(accept) if accept else None
    return form.version if form and form.kind == "Table" else None


def parse_accept(accept: str) -> list[Clause]:
    """Clauses by descending quality, wildcards after what is named, else in the order given (goautoneg)."""
    return sorted(_clauses(accept), key=_rank)


def _rank(clause: Clause) -> tuple[float, bool, bool]:
    return -clause.quality, clause.media_type.startswith("*/"), clause.media_type.endswith("/*")


def _clauses(accept: str) -> Iterator[Clause]:
    for part in accept.split(","):
        media_type, *options = (piece.strip() for piece in part.split(";"))
        if media_type == "*":
            media_type = "*/*"
        if "/" not in media_type:
            continue
        pairs = (option.partition("=") for option in options)
        parameters = {key.strip(): value.strip() for key, found, value in pairs if found}
        yield Clause(media_type, parameters, _quality(parameters.pop("q", "1")))


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _refused(stream: bool) -> StatusError:
    offered = [f"{media_type};stream=watch" for media_type in _STREAMED] if stream else OFFERED
    return not_acceptable(f"only the following media types are accepted: {', '.join(offered)}")
