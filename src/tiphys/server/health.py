"""/healthz, /livez and /readyz, in upstream's words (apiserver `server/healthz`).

A check is a name and a function that returns when all is well and raises when not; why is told to the log only.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from tiphys.base.field_error import quoted
from tiphys.base.http import Request, Response
from tiphys.server.refusal import NO_SNIFF, PLAIN, page_not_found, plain_error

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """`run` raises when something is wrong."""

    name: str
    run: Callable[[], Awaitable[None]]


async def _nothing() -> None:
    """That it answers at all is the check."""


PING = Check("ping", _nothing)


class Health:
    """Serves each endpoint's list of checks, all together and one by one."""

    def __init__(self, livez: Sequence[Check] = (PING,), readyz: Sequence[Check] = (PING,)) -> None:
        """/healthz runs what /livez does."""
        self._checks: Mapping[str, Sequence[Check]] = {"healthz": livez, "livez": livez, "readyz": readyz}

    async def respond(self, request: Request) -> Response | None:
        endpoint, slash, name = request.path[1:].partition("/")
        checks = self._checks.get(endpoint)
        if checks is None:
            return None
        if slash:
            return await _one(checks, name)
        return await _all(endpoint, checks, request.query)


async def _one(checks: Sequence[Check], name: str) -> Response:
    check = next((check for check in checks if check.name == name), None)
    if check is None:
        return page_not_found()
    try:
        await check.run()
    except Exception as error:
        return plain_error(500, f"internal server error: {error}")
    return _text("ok")


async def _all(endpoint: str, checks: Sequence[Check], query: str) -> Response:
    options = parse_qs(query, keep_blank_values=True) if query else {}
    excluded = set(options.get("exclude", ()))
    lines, failed = [], False
    for check in checks:
        if check.name in excluded:
            lines.append(f"[+]{check.name} excluded: ok\n")
        elif await _passes(endpoint, check):
            lines.append(f"[+]{check.name} ok\n")
        else:
            lines.append(f"[-]{check.name} failed: reason withheld\n")
            failed = True
    unknown = sorted(excluded - {check.name for check in checks})
    if unknown:
        names = ",".join(map(quoted, unknown))
        lines.append(f"warn: some health checks cannot be excluded: no matches for {names}\n")
    if failed:
        return plain_error(500, f"{''.join(lines)}{endpoint} check failed")
    return _text(f"{''.join(lines)}{endpoint} check passed\n" if "verbose" in options else "ok")


async def _passes(endpoint: str, check: Check) -> bool:
    try:
        await check.run()
    except Exception as error:
        log.info("%s check failed: %s: %s", endpoint, check.name, error)
        return False
    return True


def _text(text: str) -> Response:
    return Response(200, text.encode(), PLAIN, [NO_SNIFF])
