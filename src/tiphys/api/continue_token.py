"""Continue tokens: where the next part of a list starts, and at which version (apiserver `storage/continue.go`)."""

from __future__ import annotations

import base64
import binascii
import posixpath
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.base.status import StatusError, bad_request

LATEST = -1
"""The revision of a token that goes on at whatever the latest version is: an inconsistent list."""

_VERSION = "meta.k8s.io/v1"
_INVALID = "continue key is not valid"


class ContinueExpired(StatusError):
    """410 with a token to go on with all the same, at the latest version."""

    def __init__(self, token: str) -> None:
        message = (
            "The provided continue parameter is too old to display a consistent list result. You can start a new "
            "list without the continue parameter, or use the continue token in this response to retrieve the "
            "remainder of the results. Continuing with the provided token results in an inconsistent list - objects "
            "that were created, modified, or deleted between the time the first chunk was returned and now may show "
            "up in the list."
        )
        super().__init__(410, "Expired", message)
        self.token = token

    def document(self) -> Document:
        return {**super().document(), "metadata": {"continue": self.token}}


def encode(after: str, prefix: str, revision: int) -> str:
    """A token to go on behind the key `after`, which lies below `prefix`."""
    start = after[len(prefix) :] + "\0"
    text = orjson.dumps({"v": _VERSION, "rv": revision, "start": start})
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def decode(token: str, prefix: str) -> tuple[str, int]:
    """`(after, revision)`. Raises StatusError 400; a start outside of the prefix is refused."""
    content = _content(token)
    if content.get("v") != _VERSION:
        version = content.get("v") or ""
        raise _wrong(f"{_INVALID}: server does not recognize this encoded version {version}")
    revision, start = content.get("rv") or 0, content.get("start") or ""
    if type(revision) is not int or type(start) is not str:
        raise _wrong(f"{_INVALID}: json: cannot unmarshal the token")
    if not revision:
        raise _wrong(f"{_INVALID}: incorrect encoded start resourceVersion (version {_VERSION})")
    if not start:
        raise _wrong(f"{_INVALID}: encoded start key empty (version {_VERSION})")
    rooted = start if start.startswith("/") else f"/{start}"
    if posixpath.normpath(rooted) != rooted:
        raise _wrong(f"{_INVALID}: {start}")
    return prefix + rooted[1:].removesuffix("\0"), revision


def _content(token: str) -> dict[str, Any]:
    try:
        content = orjson.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:
        raise _wrong(f"{_INVALID}: {error}") from None
    if not isinstance(content, dict):
        raise _wrong(f"{_INVALID}: json: cannot unmarshal the token")
    return content


def _wrong(why: str) -> StatusError:
    return bad_request(f"invalid continue token: {why}")
