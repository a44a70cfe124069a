"""The difference between two specs, in the shape upstream appends to a refused pod update (go-cmp's Diff).

go-cmp prints Go types and prunes what is equal; this prints the same frame over wire documents: Go field
names, `-` and `+` lines, and how many fields are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from tiphys.base.document import Document
from tiphys.kinds.shapes.field_checks import same

_INITIALISMS = {"dnsPolicy": "DNSPolicy", "dnsConfig": "DNSConfig", "hostPID": "HostPID", "hostIPC": "HostIPC"}


def spec_diff(old: Document, new: Document, name: str = "core.PodSpec") -> str:
    """A few lines, ending with a newline; empty if nothing differs."""
    body = list(_fields(old, new, "\t"))
    return "\n".join([f"  {name}{{", *body, "  }", ""]) if body else ""


def _go_name(field: str) -> str:
    return _INITIALISMS.get(field) or field[:1].upper() + field[1:]


def _fields(old: Document, new: Document, indent: str) -> Iterator[str]:
    unchanged = 0
    for field in sorted(old.keys() | new.keys()):
        before, after = old.get(field), new.get(field)
        if same(before, after):
            unchanged += 1
            continue
        if unchanged:
            yield f"  {indent}... // {unchanged} identical fields"
            unchanged = 0
        yield from _change(f"{_go_name(field)}: ", before, after, indent)
    if unchanged:
        yield f"  {indent}... // {unchanged} identical fields"


def _change(label: str, old: Any, new: Any, indent: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield f"  {indent}{label}{{"
        yield from _fields(old, new, f"{indent}\t")
        yield f"  {indent}}},"
    elif isinstance(old, list) and isinstance(new, list):
        yield f"  {indent}{label}{{"
        yield from _items(old, new, f"{indent}\t")
        yield f"  {indent}}},"
    else:
        yield from (f"{sign} {indent}{label}{_show(value)}," for sign, value in (("-", old), ("+", new)))


def _items(old: list[Any], new: list[Any], indent: str) -> Iterator[str]:
    for index in range(max(len(old), len(new))):
        if index >= len(old):
            yield f"+ {indent}{_show(new[index])},"
        elif index >= len(new):
            yield f"- {indent}{_show(old[index])},"
        elif not same(old[index], new[index]):
            yield from _change("", old[index], new[index], indent)


def _show(value: Any) -> str:
    return "nil" if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
