"""The shape of an answer: which form, in which encoding (apiserver `endpoints/handlers/negotiation`)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.api.media_type import PLAIN, Form, negotiate
from tiphys.api.query import Query
from tiphys.api.table import include_object
from tiphys.base.http import JSON, PROTOBUF, YAML, Request

_PRETTY_AGENTS = ("curl", "Wget", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Shape:
    """`include` is how much of each object a Table carries."""

    form: Form = PLAIN
    pretty: bool = False
    include: str = ""

    @property
    def is_plain(self) -> bool:
        """The stored bytes will do."""
        form = self.form
        return not (form.kind or self.pretty) and form.media_type == JSON

    @property
    def yaml(self) -> bool:
        return self.form.media_type == YAML

    @property
    def protobuf(self) -> bool:
        return self.form.media_type == PROTOBUF


AS_IS = Shape()


def read_shape(request: Request, query: Query, *, stream: bool) -> Shape:
    """Raises StatusError 406 when nothing that is accepted can be had, 400 for an unknown `includeObject`."""
    accept = request.headers.get("accept", "")
    pretty = _pretty(request, query) and not stream
    if not pretty and accept in ("", JSON):
        return AS_IS
    form = negotiate(accept, stream=stream)
    include = include_object(query.text("includeObject")) if form.kind == "Table" else ""
    return Shape(form, pretty or (form.pretty and not stream), include=include)


def _pretty(request: Request, query: Query) -> bool:
    """isPrettyPrint: asked for in the query, else for clients that people look at."""
    asked = query.text("pretty")
    if asked:
        return asked in ("1", "t", "T", "true", "TRUE", "True")
    return request.headers.get("user-agent", "").startswith(_PRETTY_AGENTS)
