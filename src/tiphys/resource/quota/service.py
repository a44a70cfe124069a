"""Services: how many, and what they take of node ports and load balancers
(kubernetes `pkg/quota/v1/evaluator/core/services.go`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document
from tiphys.base.quantity import ZERO, Quantity, from_value
from tiphys.resource.quota.evaluator import CREATE, UPDATE
from tiphys.resource.quota.object_count import ONE
from tiphys.resource.resource_list import ResourceList

_COUNT = "count/services"
_SERVICES = "services"
_NODE_PORTS = "services.nodeports"
_LOAD_BALANCERS = "services.loadbalancers"
_NAMES = {_COUNT, _SERVICES, _NODE_PORTS, _LOAD_BALANCERS}


class ServiceEvaluator:
    """Updates are handled too, because a service's type can change."""

    group = ""
    plural = "services"

    def handles(self, operation: str, subresource: str, new: Document | None, old: Document | None) -> bool:
        return operation in (CREATE, UPDATE) and not subresource

    def matching(self, names: Iterable[str]) -> list[str]:
        return sorted(_NAMES.intersection(names))

    def in_scope(self, requirement: Document, document: Document) -> bool:
        return False

    def missing(self, required: Iterable[str], document: Document) -> str:
        return ""

    def usage(self, document: Document, now: float) -> ResourceList:
        spec = document.get("spec") or {}
        balanced = spec.get("type") == "LoadBalancer"
        return {
            _COUNT: ONE,
            _SERVICES: ONE,
            _LOAD_BALANCERS: ONE if balanced else ZERO,
            _NODE_PORTS: _node_ports(spec),
        }


def _node_ports(spec: Document) -> Quantity:
    """Every port of a service that gets node ports; where it is told not to allocate any, those it names itself."""
    ports = spec.get("ports") or ()
    if spec.get("type") == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        return from_value(sum(1 for port in ports if port.get("nodePort")))
    return from_value(len(ports)) if spec.get("type") in ("NodePort", "LoadBalancer") else ZERO


EVALUATOR = ServiceEvaluator()
