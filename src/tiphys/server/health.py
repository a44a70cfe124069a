"""/healthz, /livez and /readyz, in upstream's words (apiserver `server/healthz`).

A check is a name and a function that says whether all is well, or raises; why it is not is told to the log only.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

from tiphys.base.field_error import quoted
from tiphys.base.http import Request, Response
from tiphys.server.refusal import NO_SNIFF, PLAIN, page_not_found, plain_error

log = logging.getLogger(__name__)


Checks = Mapping[str, Callable[[], bool]]
"""By name, in the order they are told. False or an exception means something is wrong."""


class Health:
    """Serves each endpoint's list of checks, all together and one by one; `ping` is first in every list."""

    def __init__(self, *, live: Checks | None = None, ready: Checks | None = None) -> None:
        """/healthz runs what /livez does. Readiness includes liveness."""
        livez = {"ping": _ping, **(live or {})}
        self._checks: Mapping[str, Checks] = {"healthz": livez, "livez": livez, "readyz": {**livez, **(ready or {})}}

    def paths(self) -> list[str]:
        """Every path there is, as the index lists them."""
        return [f"/{at}{name}" for at, checks in self._checks.items() for name in ("", *(f"/{n}" for n in checks))]

    async def respond(self, request: Request) -> Response | None:
        endpoint, slash, name = request.path[1:].partition("/")
        checks = self._checks.get(endpoint)
        if checks is None:
            return None
        if slash:
            return _one(checks, name)
        return _all(endpoint, checks, request.query)


def _ping() -> bool:
    """That it answers at all is the check."""
    return True


def _one(checks: Checks, name: str) -> Response:
    if name not in checks:
        return page_not_found()
    wrong = _wrong(checks[name])
    return plain_error(500, f"internal server error: {wrong}") if wrong else _text("ok")


def _all(endpoint: str, checks: Checks, query: str) -> Response:
    options = parse_qs(query, keep_blank_values=True) if query else {}
    excluded = set(options.get("exclude", ()))
    lines, failed = [], False
    for name, check in checks.items():
        if name in excluded:
            lines.append(f"[+]{name} excluded: ok\n")
        elif wrong := _wrong(check):
            log.info("%s check failed: %s: %s", endpoint, name, wrong)
            lines.append(f"[-]{name} failed: reason withheld\n")
            failed = True
        else:
            lines.append(f"[+]{name} ok\n")
    unknown = sorted(excluded - checks.keys())
    if unknown:
        names = ",".join(map(quoted, unknown))
        lines.append(f"warn: some health checks cannot be excluded: no matches for {names}\n")
    if failed:
        return plain_error(500, f"{''.join(lines)}{endpoint} check failed")
    return _text(f"{''.join(lines)}{endpoint} check passed\n" if "verbose" in options else "ok")


def _wrong(check: Callable[[], bool]) -> str:
    """What is wrong, empty when nothing is."""
    try:
        return "" if check() else "not ok"
    except Exception as error:
        return str(error) or type(error).__name__


def _text(text: str) -> Response:
    return Response(200, text.encode(), PLAIN, [NO_SNIFF])
