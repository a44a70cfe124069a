"""Which nodes a DaemonSet should run on (NodeShouldRunDaemonPod)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.controllers.daemon_set.pod_template import with_tolerations
from tiphys.controllers.toleration import NO_EXECUTE, NO_SCHEDULE, tolerates
from tiphys.resource import node_selector


@dataclass(frozen=True, slots=True)
class Eligibility:
    """`starts`: a pod should be made there if there is none; `stays`: one that is there may stay."""

    starts: bool
    stays: bool


NOT_AT_ALL = Eligibility(False, False)
_FULLY = Eligibility(True, True)


class NodeRule:
    """The rule of one DaemonSet; a node costs it some microseconds."""

    def __init__(self, daemon_set: Document) -> None:
        self._spec = with_tolerations(daemon_set["spec"]["template"]["spec"])

    def judge(self, node: Document) -> Eligibility:
        """Cordoned nodes are tolerated, so they are as good as any."""
        meta = node["metadata"]
        wanted = self._spec.get("nodeName")
        if wanted and wanted != meta["name"]:
            return NOT_AT_ALL
        if not node_selector.allows(self._spec, meta.get("labels") or {}, meta["name"]):
            return NOT_AT_ALL
        taints = (node.get("spec") or {}).get("taints")
        if not taints:
            return _FULLY
        if self._tolerates_all(taints, (NO_EXECUTE, NO_SCHEDULE)):
            return _FULLY
        return Eligibility(False, self._tolerates_all(taints, (NO_EXECUTE,)))

    def _tolerates_all(self, taints: Iterable[Document], effects: tuple[str, ...]) -> bool:
        for taint in taints:
            if taint.get("effect") not in effects:
                continue
            if not any(tolerates(each, taint) for each in self._spec["tolerations"]):
                return False
        return True
