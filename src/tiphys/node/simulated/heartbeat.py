"""Heartbeats: each node renews its Lease every ten seconds, the times spread over the nodes (kubelet `lease`)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from tiphys.base.clock import Clock, rfc3339_micro
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client

log = logging.getLogger(__name__)

NAMESPACE = "kube-node-lease"
LEASES = ("coordination.k8s.io/v1", "leases")
DURATION = 40
INTERVAL = 10.0


class Heartbeats:
    """The leases of some nodes, kept alive."""

    def __init__(self, client: Client, clock: Clock, nodes: Sequence[Document]) -> None:
        """`nodes` are the registered Node objects, whose uids own the leases."""
        self._client = client
        self._clock = clock
        self._nodes = list(nodes)
        self._leases: dict[str, Document] = {}

    async def run(self) -> None:
        """Renew for ever; one node at a time, so that the writes of many nodes are spread over the interval."""
        if not self._nodes:
            return
        while True:
            began = self._clock.monotonic()
            for index, node in enumerate(self._nodes):
                await self._until(began + INTERVAL * index / len(self._nodes))
                await self.renew(node)
            await self._until(began + INTERVAL)

    async def renew(self, node: Document) -> None:
        """Write the node's lease once; a failure is told and mended by the next beat."""
        name = node["metadata"]["name"]
        try:
            known = self._leases.get(name) or await self._found(name)
            self._leases[name] = await self._write(known, node)
        except StatusError as error:
            self._leases.pop(name, None)
            log.warning("lease of node %s: %s", name, error.message)

    async def _found(self, name: str) -> Document | None:
        try:
            return await self._client.get(*LEASES, name, NAMESPACE)
        except StatusError as error:
            if error.code != 404:
                raise
            return None

    async def _write(self, known: Document | None, node: Document) -> Document:
        now = rfc3339_micro(self._clock.now())
        if known is not None:
            return await self._client.update(
                *LEASES, {**known, "spec": {**known["spec"], "renewTime": now}}, NAMESPACE
            )
        meta = node["metadata"]
        owner = {"apiVersion": "v1", "kind": "Node", "name": meta["name"], "uid": meta["uid"]}
        lease: Document = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": meta["name"], "namespace": NAMESPACE, "ownerReferences": [owner]},
            "spec": {"holderIdentity": meta["name"], "leaseDurationSeconds": DURATION, "renewTime": now},
        }
        return await self._client.create(*LEASES, lease, NAMESPACE)

    async def _until(self, moment: float) -> None:
        wait = moment - self._clock.monotonic()
        if wait > 0:
            await self._clock.sleep(wait)
