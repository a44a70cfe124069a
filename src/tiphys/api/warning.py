"""Warnings to the client, as Warning headers (apiserver `endpoints/filters/warning.go`, apimachinery `util/net`)."""

from __future__ import annotations

from collections.abc import Sequence

_WHOLE_UP_TO = 4 * 1024
_LONGEST_CUT = 256
_MOST = 16 * 1024
_TO_TEXT = str.maketrans(dict.fromkeys([*map(chr, range(32)), "\x7f"]))
_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})


def warning_headers(texts: Sequence[str]) -> list[tuple[str, str]]:
    """One header a different text; all are cut short once they are too many together, and then left out."""
    if not texts:
        return []
    unique = [text for text in dict.fromkeys(text.translate(_TO_TEXT) for text in texts) if text]
    if sum(map(len, unique)) > _WHOLE_UP_TO:
        unique = [text[:_LONGEST_CUT] for text in unique]
    headers: list[tuple[str, str]] = []
    total = 0
    for text in unique:
        total += len(text)
        if total > _MOST:
            break
        headers.append(("Warning", f'299 - "{text.translate(_QUOTED)}"'))
    return headers
