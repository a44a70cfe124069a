"""`/`: every path there is, for people with curl (apiserver `server/routes/index.go`)."""

from __future__ import annotations

from collections.abc import Callable

import orjson

from tiphys.base.http import Request, Response


class Index:
    """Serves the list of paths, sorted, each once."""

    def __init__(self, paths: Callable[[], list[str]]) -> None:
        self._paths = paths

    def paths(self) -> list[str]:
        return ["/"]

    async def respond(self, request: Request) -> Response | None:
        if request.path not in ("/", "/index.html"):
            return None
        return Response(200, orjson.dumps({"paths": sorted(set(self._paths()))}, option=orjson.OPT_INDENT_2))
