"""What goes wrong with certificates, in cfssl's words: a code and a message, shown as one line of JSON.

The thousands of a code are the category (1 certificate, 2 private key, 5 policy, 9 request), the rest the reason
(cfssl `errors/error.go`). What cfssl tells without a code is told without one.
"""

from __future__ import annotations

import json


class PkiError(Exception):
    """A refusal; `str()` of it is the line that cfssl prints."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    def __str__(self) -> str:
        if not self.code:
            return self.message
        return json.dumps({"code": self.code, "message": self.message}, separators=(",", ":"), ensure_ascii=False)


def invalid_policy(message: str) -> PkiError:
    return PkiError(message, 5200)


def violated_policy() -> PkiError:
    return PkiError("Policy violation request", 5300)
