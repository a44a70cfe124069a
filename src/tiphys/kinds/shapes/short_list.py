"""A list in one cell: its first three, and how many more there are (upstream's `listWithMoreString`)."""

from __future__ import annotations

from collections.abc import Sequence

SHOWN = 3


def short_list(items: Sequence[str]) -> str:
    more = f" + {len(items) - SHOWN} more..." if len(items) > SHOWN else ""
    return (",".join(items[:SHOWN]) or ("" if more else "<unset>")) + more
