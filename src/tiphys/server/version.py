"""/version: which Kubernetes this is, and what it really runs on (apimachinery `version.Info`)."""

from __future__ import annotations

import platform
import sys

import orjson

from tiphys.base.document import Document
from tiphys.base.http import Request, Response

_EMULATION_SINCE = 33
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def version_info(minor: int, git_version: str, *, git_commit: str = "", build_date: str = "") -> Document:
    """The Kubernetes version served; commit, date, compiler and platform are Tiphys' own."""
    info = {"major": "1", "minor": str(minor)}
    if minor >= _EMULATION_SINCE:
        info |= {"emulationMajor": "1", "emulationMinor": str(minor)}
        info |= {"minCompatibilityMajor": "1", "minCompatibilityMinor": str(minor - 1)}
    machine = platform.machine()
    return info | {
        "gitVersion": git_version,
        "gitCommit": git_commit,
        "gitTreeState": "clean" if git_commit else "",
        "buildDate": build_date or "1970-01-01T00:00:00Z",
        "goVersion": f"python{platform.python_version()}",
        "compiler": sys.implementation.name,
        "platform": f"{sys.platform}/{_MACHINES.get(machine, machine)}",
    }


class Version:
    """Serves one version.Info, indented as upstream indents it."""

    def __init__(self, info: Document) -> None:
        self._body = orjson.dumps(info, option=orjson.OPT_INDENT_2)

    def paths(self) -> list[str]:
        return ["/version"]

    async def respond(self, request: Request) -> Response | None:
        return Response(200, self._body) if request.path in ("/version", "/version/") else None
