"""ImageLocality: nodes that have the pod's images already score higher, the more the larger and the commoner they are
(plugins/imagelocality)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.scheduler.cache import Cache
from tiphys.scheduler.framework import MAX_SCORE, NodeInfo, PodInfo

_MB = 1024 * 1024
LEAST = 23 * _MB
MOST_A_CONTAINER = 1000 * _MB


class ImageLocality:
    NAME = "ImageLocality"
    WEIGHT = 1

    def prescore(self, pod: PodInfo, cache: Cache, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        """An image counts for its size, scaled by the share of nodes that have it: so that not all pods of an image
        crowd onto the few nodes that have it."""
        if not cache.images:
            return None
        names = [name for name in map(_normalized, pod.images) if name in cache.images]
        if not names:
            return None
        shares = [(name, cache.images[name] / len(cache.nodes)) for name in names]
        most = MOST_A_CONTAINER * len(pod.images)
        return [_score(sum(int(node.images.get(name, 0) * share) for name, share in shares), most) for node in nodes]


def _score(amount: int, most: int) -> int:
    return MAX_SCORE * (min(max(amount, LEAST), most) - LEAST) // (most - LEAST)


def _normalized(name: str) -> str:
    """With `:latest` where there is no tag: node statuses always name one."""
    return name if name.rfind(":") > name.rfind("/") else f"{name}:latest"


PLUGIN = ImageLocality()
