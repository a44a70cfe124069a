"""A storm of writes over real TLS connections, and a watch that goes on from where it was, however often the server
dies. Both write down what they were told in one History.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson

from tests.clients.conftest import RunningCluster
from tests.siege.history import ACKNOWLEDGED, CREATE, DELETE, REFUSED, UPDATE, Event, History, Snapshot, Write

NAMESPACE = "storm"
COLLECTION = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
LABEL = "storm"
GONE = (aiohttp.ClientError, ConnectionError, TimeoutError, asyncio.IncompleteReadError)
"""How it looks when the server is killed."""


def admin(cluster: RunningCluster) -> ssl.SSLContext:
    """The way in of the administrator that `up` made."""
    context = ssl.create_default_context(cafile=str(cluster.pki / "ca.pem"))
    context.load_cert_chain(cluster.pki / "admin.pem", cluster.pki / "admin-key.pem")
    return context


@dataclass
class Storm:
    """One cluster's clients. `told` is the newest revision anybody was told of."""

    server: str
    tls: ssl.SSLContext
    history: History = field(default_factory=History)
    told: int = 0
    acknowledged: int = 0
    seen: int = 0
    """The revision the watch has come to."""
    _tokens: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=self.tls)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=30)
        return aiohttp.ClientSession(self.server, connector=connector, timeout=timeout)

    async def prepare(self) -> None:
        async with self.session() as session:
            body = {"metadata": {"name": NAMESPACE}}
            async with session.post("/api/v1/namespaces", json=body) as answer:
                assert answer.status == 201, await answer.text()
        self.seen = (await self.snapshot()).revision

    async def writer(self, number: int, chance: random.Random) -> None:
        """Writes to keys it shares with the others until the server is gone."""
        async with self.session() as session:
            known: dict[str, int] = {}
            try:
                while True:
                    key = f"{LABEL}-{chance.randrange(12)}"
                    await self._write(session, chance, key, known)
            except GONE:
                return

    async def _write(
        self, session: aiohttp.ClientSession, chance: random.Random, key: str, known: dict[str, int]
    ) -> None:
        """One create, update or delete; a refusal teaches the revision by a read."""
        base = known.get(key, 0)
        action = CREATE if not base else UPDATE if chance.random() < 0.7 else DELETE
        write = self._begin(action, key, base)
        method, path, body = _request(write, chance)
        async with session.request(method, path, json=body) as answer:
            document = orjson.loads(await answer.read())
        self._end(write, answer.status, document, known)
        if write.outcome == REFUSED:
            async with session.get(f"{COLLECTION}/{key}") as answer:
                found = orjson.loads(await answer.read())
            known[key] = int(found["metadata"]["resourceVersion"]) if answer.status == 200 else 0

    def _begin(self, action: str, key: str, base: int) -> Write:
        self._tokens += 1
        write = Write(action, key, "" if action == DELETE else f"t{self._tokens}", base, self.told)
        self.history.writes.append(write)
        return write

    def _end(self, write: Write, status: int, document: Any, known: dict[str, int]) -> None:
        if status in (404, 409):
            write.outcome = REFUSED
            return
        assert status in (200, 201), document
        write.outcome = ACKNOWLEDGED
        self.acknowledged += 1
        if write.action != DELETE:
            write.revision = known[write.key] = int(document["metadata"]["resourceVersion"])
            self.told = max(self.told, write.revision)
        else:
            known[write.key] = 0
        self._moved.set()

    async def acknowledgements(self, number: int) -> None:
        """Return when that many more writes are acknowledged."""
        wanted = self.acknowledged + number
        while self.acknowledged < wanted:
            self._moved.clear()
            await self._moved.wait()

    async def snapshot(self) -> Snapshot:
        """The list as it is now; kept in the history."""
        floor = self.told
        async with (
            self.session() as session,
            session.get(f"{COLLECTION}?labelSelector={LABEL}%3Dyes") as answer,
        ):
            document = orjson.loads(await answer.read())
        assert answer.status == 200, document
        items = {
            item["metadata"]["name"]: (item["data"]["token"], int(item["metadata"]["resourceVersion"]))
            for item in document["items"]
        }
        found = Snapshot(int(document["metadata"]["resourceVersion"]), items, floor)
        self.told = max(self.told, found.revision)
        self.history.snapshots.append(found)
        return found

    async def watch(self) -> None:
        """Follow the log from the last revision seen until the server is gone."""
        try:
            async for event, revision in self.events(self.seen):
                self.seen = revision
                if event:
                    self.history.events.append(event)
                    self.told = max(self.told, revision)
                self._moved.set()
        except GONE:
            return

    async def watched(self, revision: int) -> None:
        """Return when the watch has come to a revision."""
        while self.seen < revision:
            self._moved.clear()
            await self._moved.wait()

    async def events(self, after: int) -> Any:
        """(event or None for a bookmark, revision), from the whole lines of one watch; raises what GONE lists."""
        query = f"watch=1&allowWatchBookmarks=true&labelSelector={LABEL}%3Dyes&resourceVersion={after}"
        async with self.session() as session, session.get(f"{COLLECTION}?{query}") as answer:
            assert answer.status == 200, await answer.text()
            rest = b""
            async for chunk in answer.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield _event(orjson.loads(line))


def _request(write: Write, chance: random.Random) -> tuple[str, str, Any]:
    path = f"{COLLECTION}/{write.key}"
    if write.action == DELETE:
        return "DELETE", path, {"preconditions": {"resourceVersion": str(write.base)}}
    metadata: dict[str, Any] = {"name": write.key, "labels": {LABEL: "yes"}}
    data = {"token": write.token, "padding": "x" * chance.choice((0, 0, 500, 20_000))}
    if write.action == CREATE:
        return "POST", COLLECTION, {"metadata": metadata, "data": data}
    metadata["resourceVersion"] = str(write.base)
    return "PUT", path, {"metadata": metadata, "data": data}


def _event(document: Any) -> tuple[Event | None, int]:
    metadata = document["object"]["metadata"]
    revision = int(metadata["resourceVersion"])
    if document["type"] == "BOOKMARK":
        return None, revision
    return Event(document["type"], metadata["name"], document["object"]["data"]["token"], revision), revision
