"""TaintNodesByCondition: a new node is not ready until it says so (kubernetes `plugin/pkg/admission/nodetaint`)."""

from __future__ import annotations

from tiphys.admission.plugin import CREATE, AdmitOnly, Base, is_for, items, part
from tiphys.api.admission import Attributes

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


class TaintNodesByCondition(AdmitOnly, Base):
    NAME = "TaintNodesByCondition"

    async def admit(self, attributes: Attributes) -> None:
        node = attributes.object
        if node is None or not is_for(attributes, CREATE, "nodes"):
            return
        taints = items(part(node, "spec"), "taints")
        if not any((taint.get("key"), taint.get("effect")) == tuple(NOT_READY.values()) for taint in taints):
            taints.append(dict(NOT_READY))


PLUGIN = TaintNodesByCondition
