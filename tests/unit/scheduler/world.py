"""Nodes, pods and a scheduling cycle over them."""

from __future__ import annotations

import random
from typing import Any

from tiphys.scheduler.cache import Cache
from tiphys.scheduler.cycle import Cycle
from tiphys.scheduler.fit_error import fit_error
from tiphys.scheduler.framework import PodInfo
from tiphys.scheduler.pod_info import read_pod
from tiphys.scheduler.profile import Profile, default_profile

ZONE = "topology.kubernetes.io/zone"
HOST = "kubernetes.io/hostname"
_count = iter(range(10**6))


def node(
    name: str, *, cpu: str = "4", memory: str = "8Gi", pods: str = "110", labels: Any = None, **spec: Any
) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {HOST: name, **(labels or {})}},
        "spec": spec,
        "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods}},
    }


def zoned(name: str, zone: str, **more: Any) -> dict[str, Any]:
    return node(name, labels={ZONE: zone}, **more)


def pod(
    requests: Any = None, *, labels: Any = None, namespace: str = "n", status: Any = None, **spec: Any
) -> PodInfo:
    number = next(_count)
    container = {"name": "c", "image": spec.pop("image", "i"), "resources": {"requests": requests or {}}}
    ports = spec.pop("ports", None)
    if ports:
        container["ports"] = ports
    meta: dict[str, Any] = {"name": f"p{number}", "namespace": namespace, "uid": f"u{number}", "labels": labels or {}}
    if "deletionTimestamp" in spec:
        meta["deletionTimestamp"] = spec.pop("deletionTimestamp")
    return read_pod({"metadata": meta, "spec": {"containers": [container], **spec}, "status": status or {}})


class World:
    def __init__(self, *nodes: dict[str, Any], minor: int = 37, profile: Profile | None = None) -> None:
        self.cache = Cache()
        self.minor = minor
        for each in nodes:
            self.cache.set_node(each)
        self.cycle = Cycle(self.cache, profile or default_profile(), minor, random.Random(1))

    def place(self, info: PodInfo) -> str | None:
        chosen = self.cycle.run(info).node
        if chosen is not None:
            self.cache.add_pod(info, chosen)
        return chosen

    def why(self, info: PodInfo) -> str:
        """The message for a pod that fits nowhere."""
        outcome = self.cycle.run(info)
        assert outcome.node is None
        words = self.cycle.make_room(info, outcome.refusals).words
        return fit_error(len(self.cache.nodes), outcome.refusals, self.minor, words)

    def reasons(self, info: PodInfo) -> dict[str, str]:
        """Why each node that will not do will not."""
        return {name: ", ".join(refusal.reasons) for name, refusal in self.cycle.run(info).refusals.items()}
