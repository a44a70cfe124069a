"""A document that is made once and told to many: with an ETag, so that a client that has it is told only that."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha512

from tiphys.base.http import JSON, Request, Response
from tiphys.base.status import StatusError

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CachedDocument:
    """Encoded bytes and their hash; `headers` are sent with every answer."""

    body: bytes
    etag: str
    content_type: str = JSON
    headers: Headers = ()

    def answer(self, request: Request, *headers: tuple[str, str]) -> Response:
        """The document, or 304 when the client's copy is this one."""
        quoted = f'"{self.etag}"'
        told = [("etag", quoted), *self.headers, *headers]
        if quoted in request.headers.get("if-none-match", ""):
            return Response(304, b"", "", told)
        return Response(200, self.body, self.content_type, told)


def cached_document(body: bytes, content_type: str = JSON, headers: Headers = ()) -> CachedDocument:
    """Hashed as upstream hashes them (discovery `aggregated/etag.go`)."""
    return CachedDocument(body, sha512(body).hexdigest().upper(), content_type, headers)


def only_get(request: Request) -> None:
    """Raises StatusError 405 for anything but reading."""
    if request.method not in ("GET", "HEAD"):
        raise StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
