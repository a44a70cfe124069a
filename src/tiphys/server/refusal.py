"""Answers that are no resource: refusals as Status objects, and plain text as Go's http.Error writes it."""

from __future__ import annotations

import orjson

from tiphys.base.http import Response
from tiphys.base.status import StatusError

PLAIN = "text/plain; charset=utf-8"
NO_SNIFF = ("x-content-type-options", "nosniff")


def refusal(error: StatusError) -> Response:
    """The Status a refusal is sent as, with its own headers (Retry-After)."""
    return Response(error.code, orjson.dumps(error.document()) + b"\n", headers=list(error.headers))


def plain_error(code: int, text: str) -> Response:
    return Response(code, text.encode() + b"\n", PLAIN, [NO_SNIFF])


def page_not_found() -> Response:
    """For a path nothing is served at (http.NotFound)."""
    return plain_error(404, "404 page not found")
