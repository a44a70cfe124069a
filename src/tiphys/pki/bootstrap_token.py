"""Bootstrap tokens as Secrets hold them (`cluster-bootstrap/token/api/types.go`, `util/secrets/secrets.go`)."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, urlsafe_b64encode

import orjson

from tiphys.base.clock import parse_rfc3339
from tiphys.base.document import Document

NAMESPACE = "kube-system"
SECRET_TYPE = "bootstrap.kubernetes.io/token"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def contents(secret: Document) -> dict[str, str]:
    """The secret's data as text; what is no text is empty."""
    return {key: _text(value) for key, value in (secret.get("data") or {}).items()}


def seconds_left(data: dict[str, str], now: float) -> float | None:
    """Until the token runs out: 0 if it has, or if its expiration is no time; None for one without end."""
    text = data.get("expiration", "")
    if not text:
        return None
    try:
        left = parse_rfc3339(text) - now if _TIME.fullmatch(text) else 0
    except (ValueError, OverflowError):
        left = 0
    return max(left, 0)


def _text(value: object) -> str:
    try:
        return b64decode(str(value or "")).decode()
    except ValueError:
        return ""


def detached_signature(content: str, token_id: str, token_secret: str) -> str:
    """A JWS over the content, which it does not carry, by the token's secret half (`cluster-bootstrap/jws`)."""
    header = _encode(orjson.dumps({"alg": "HS256", "kid": token_id}))
    signed = header + b"." + _encode(content.encode())
    signature = hmac.digest(token_secret.encode(), signed, "sha256")
    return f"{header.decode()}..{_encode(signature).decode()}"


def _encode(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")
