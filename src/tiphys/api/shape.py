"""The shape of an answer: which form, in which encoding (apiserver `endpoints/handlers/negotiation`)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from tiphys.api.media_type import PLAIN, Form, negotiate, parse_accept
from tiphys.api.query import Query
from tiphys.api.table import include_object
from tiphys.base.http import Request
from tiphys.base.status import not_acceptable

YAML = "application/yaml"
_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")
_JSON_FIRST = ("application/json", "application/*", "*/*")


@dataclass(frozen=True, slots=True)
class Shape:
    """`include` is how much of each object a Table carries."""

    form: Form = PLAIN
    yaml: bool = False
    pretty: bool = False
    include: str = ""

    @property
    def is_plain(self) -> bool:
        """The stored bytes will do."""
        return not (self.form.kind or self.yaml or self.pretty)


_AS_IS = Shape()


def read_shape(request: Request, query: Query, *, stream: bool) -> Shape:
    """Raises StatusError 406 when nothing that is accepted can be had, 400 for an unknown `includeObject`."""
    accept = request.headers.get("accept", "")
    pretty = _pretty(request, query) and not stream
    if not pretty and accept in ("", "application/json"):
        return _AS_IS
    if _prefers_yaml(accept) and not stream:
        return Shape(yaml=True)
    if "yaml" in accept and stream and not _offers_json(accept):
        raise not_acceptable("only the following media types are accepted: application/json;stream=watch")
    form = negotiate(accept, stream=stream)
    include = include_object(query.text("includeObject")) if form.kind == "Table" else ""
    return Shape(form, pretty=(pretty or form.pretty) and not stream, include=include)


def _pretty(request: Request, query: Query) -> bool:
    """isPrettyPrint: asked for in the query, else for clients that people look at."""
    asked = query.text("pretty")
    if asked:
        return asked in ("1", "t", "T", "true", "TRUE", "True")
    return request.headers.get("user-agent", "").startswith(_PRETTY_AGENTS)


@lru_cache(maxsize=256)
def _prefers_yaml(accept: str) -> bool:
    if YAML not in accept:
        return False
    for clause in parse_accept(accept):
        if clause.media_type == YAML:
            return "as" not in clause.parameters
        if clause.media_type in _JSON_FIRST:
            return False
    return False


@lru_cache(maxsize=256)
def _offers_json(accept: str) -> bool:
    return any(clause.media_type in _JSON_FIRST for clause in parse_accept(accept))
