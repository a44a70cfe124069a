"""Which resource a kind is, from discovery, remembered for a while (client-go's cached RESTMapper)."""

from __future__ import annotations

from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client

REMEMBERED = 30.0
"""Seconds."""


class ServedKinds:
    def __init__(self, client: Client, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._known: dict[str, tuple[float, Document]] = {}

    async def resources(self, version: str) -> list[Document]:
        """What a group version serves; nothing if there is none such. Raises StatusError."""
        found = await self._read(f"/apis/{version}" if "/" in version else f"/api/{version}")
        listed: list[Document] = found.get("resources") or []
        return listed

    async def resource(self, version: str, kind: str) -> str | None:
        """The plural of a kind. Raises StatusError."""
        listed = await self.resources(version)
        return next((each["name"] for each in listed if each["kind"] == kind and "/" not in each["name"]), None)

    async def in_group(self, group: str, kind: str) -> tuple[str, str] | None:
        """(version, plural) of a kind in whatever version of the group has it, the preferred one first."""
        for version in await self._versions(group):
            if (plural := await self.resource(version, kind)) is not None:
                return version, plural
        return None

    async def _versions(self, group: str) -> list[str]:
        if not group:
            return ["v1"]
        found = await self._read(f"/apis/{group}")
        preferred = (found.get("preferredVersion") or {}).get("groupVersion")
        versions = [each["groupVersion"] for each in found.get("versions") or ()]
        return sorted(versions, key=lambda version: version != preferred)

    async def _read(self, path: str) -> Document:
        known = self._known.get(path)
        if known is not None and self._clock.monotonic() - known[0] < REMEMBERED:
            return known[1]
        try:
            found = await self._client.read(path)
        except StatusError as error:
            if error.code != 404:
                raise
            found = {}
        self._known[path] = self._clock.monotonic(), found
        return found
