"""A request and its answer, free of any server: the pipeline's currency, on a socket or in process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from tiphys.base.user import User

JSON = "application/json"
YAML = "application/yaml"
PROTOBUF = "application/vnd.kubernetes.protobuf"
PROTOBUF_WATCH = f"{PROTOBUF};stream=watch"


@dataclass(slots=True)
class Request:
    """One HTTP request. Header names are lower case; `path` is percent-decoded, `query` raw and unparsed.

    `user` is set beforehand by the in-process transport, otherwise by authentication.
    `certificate` is the DER of the client's certificate when TLS verified one. `audit_id` is set by whoever audits
    the request first, and told to the client.
    """

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    user: User | None = None
    certificate: bytes | None = None
    peer: str = ""
    audit_id: str = ""


@dataclass(slots=True)
class Response:
    """An answer: whole bytes, or a stream of chunks each of which is sent at once.

    `warnings` are sent as Warning headers (RFC 7234, code 299).
    """

    status: int
    body: bytes | AsyncIterator[bytes] = b""
    content_type: str = JSON
    headers: list[tuple[str, str]] = field(default_factory=list)


Handler = Callable[[Request], Awaitable[Response]]
