"""All simulated nodes of a cluster: registered, kept alive, their pods moved on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Network

from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.informers import Informers
from tiphys.node.simulated.addresses import AddressPool, node_subnets
from tiphys.node.simulated.heartbeat import Heartbeats
from tiphys.node.simulated.pods import SimulatedPods
from tiphys.node.simulated.stage import Stage, built_in
from tiphys.node.simulated.template import NodeTemplate, node_document, node_status

NODES = ("v1", "nodes")
HOSTS = IPv4Network("172.18.0.0/15")
"""Node addresses, as containers of a local cluster have them. Nothing listens there."""
WORKERS = 16
REGISTRATIONS = 32
STATUS_SECONDS = 300.0
"""How often an unchanged status is reported (kubelet nodeStatusReportFrequency)."""


class Simulation:
    """`register` makes the nodes Ready; `run` then lives their life."""

    def __init__(
        self,
        client: Client,
        informers: Informers,
        clock: Clock,
        templates: Sequence[NodeTemplate],
        *,
        network: IPv4Network,
        version: str,
        stages: Sequence[Stage] | None = None,
    ) -> None:
        """`network` is the pod network, `version` what the kubelets say they are (`v1.37.0`)."""
        self._client = client
        self._clock = clock
        self._version = version
        self._templates = list(templates)
        addresses = HOSTS.hosts()
        self._hosts = {template.name: next(addresses) for template in self._templates}
        hosts = {name: str(address) for name, address in self._hosts.items()}
        pods = informers.of("v1", "pods")
        self._pods = SimulatedPods(client, pods, clock, built_in() if stages is None else stages, hosts)
        self._subnets = dict(zip(hosts, node_subnets(network), strict=False))
        self._nodes: list[Document] = []

    async def register(self) -> None:
        """Create or refresh every Node, Ready and with a first heartbeat. Raises StatusError, and ValueError
        when the pod network has no subnet left for a node."""
        if len(self._subnets) < len(self._templates):
            raise ValueError(f"the pod network has room for {len(self._subnets)} nodes, not {len(self._templates)}")
        slots = asyncio.Semaphore(REGISTRATIONS)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._register(template, slots)) for template in self._templates]
        self._nodes = [task.result() for task in tasks]
        self._heartbeats = Heartbeats(self._client, self._clock, self._nodes)

    async def run(self) -> None:
        """Until cancelled."""
        self._pods.listen()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._heartbeats.run())
            group.create_task(self._report())
            for _ in range(WORKERS):
                group.create_task(self._pods.work())

    async def _register(self, template: NodeTemplate, slots: asyncio.Semaphore) -> Document:
        async with slots:
            node = await self._known(template)
            if node is None:
                document = node_document(template, self._subnets[template.name])
                node = await self._client.create(*NODES, document)
            subnet = IPv4Network(node["spec"].get("podCIDR") or str(self._subnets[template.name]))
            self._pods.add_node(template.name, AddressPool(subnet))
            return await self._post_status(template, node)

    async def _known(self, template: NodeTemplate) -> Document | None:
        try:
            return await self._client.get(*NODES, template.name)
        except StatusError as error:
            if error.code != 404:
                raise
            return None

    async def _post_status(self, template: NodeTemplate, node: Document) -> Document:
        """Healthy now; a condition that was so before keeps its time of transition."""
        now = self._clock.now()
        status = node_status(template, self._hosts[template.name], self._version, now, now)
        known = {c["type"]: c for c in node.get("status", {}).get("conditions") or ()}
        for condition in status["conditions"]:
            before = known.get(condition["type"])
            if before and before["status"] == condition["status"]:
                condition["lastTransitionTime"] = before["lastTransitionTime"]
        return await self._client.patch(
            *NODES, template.name, {"status": status}, kind="strategic", subresource="status"
        )

    async def _report(self) -> None:
        """Post every node's status again once in a while, as an idle kubelet does."""
        while True:
            await self._clock.sleep(STATUS_SECONDS)
            for template in self._templates:
                node = await self._known(template)
                if node is not None:  # a node that was deleted meanwhile stays deleted
                    await self._post_status(template, node)
