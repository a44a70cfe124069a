"""TaintToleration: NoSchedule and NoExecute taints keep pods off; PreferNoSchedule lowers the score."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.scheduler.framework import NodeInfo, PodInfo, Refusal, default_normalize
from tiphys.scheduler.taints import tolerated

WITHOUT_CONTENT = 35
"""From this minor the message no longer tells which taint it was."""


class TaintToleration:
    NAME = "TaintToleration"
    WEIGHT = 3

    def filter_static(self, pod: PodInfo, node: NodeInfo, minor: int) -> Refusal | None:
        for taint in node.taints:
            if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerated(taint, pod.tolerations):
                return Refusal((_words(taint, minor),))
        return None

    def raw_score(self, pod: PodInfo, node: NodeInfo) -> int:
        """How many PreferNoSchedule taints the pod does not bear."""
        if not node.taints:
            return 0
        soft = [taint for taint in node.taints if taint.get("effect") == "PreferNoSchedule"]
        return sum(1 for taint in soft if not tolerated(taint, pod.tolerations))

    def normalize(self, scores: Sequence[int]) -> list[int]:
        return default_normalize(scores, reverse=True)


def _words(taint: Document, minor: int) -> str:
    if minor >= WITHOUT_CONTENT:
        return "node(s) had untolerated taint(s)"
    return f"node(s) had untolerated taint {{{taint.get('key')}: {taint.get('value') or ''}}}"


PLUGIN = TaintToleration()
