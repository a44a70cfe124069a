"""What a scheduler plugin is (kube-scheduler `framework`), cut to the extension points in use.

A plugin file in `plugins/` exports `PLUGIN`, an instance with a NAME and any of the points: `filter` says why a
node will not do, `score` how well it does. Both get what was read off the pod once, not the pod itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from tiphys.base.document import Document
from tiphys.scheduler.term import Terms

if TYPE_CHECKING:
    from tiphys.scheduler.cache import Cache
    from tiphys.scheduler.cycle import Cycle

MAX_SCORE = 100


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a node will not do. `resolvable`: removing pods from the node could help."""

    reasons: tuple[str, ...]
    resolvable: bool = False


@dataclass(frozen=True, slots=True)
class PodInfo:
    """What scheduling needs of a pod, read once. Amounts are integers: cpu in milli, the rest in units."""

    pod: Document
    key: str
    uid: str
    namespace: str
    labels: Mapping[str, str]
    terminating: bool
    terms: Terms
    spread: tuple[Document, ...]
    """Its topology spread constraints."""
    images: tuple[str, ...]
    requests: dict[str, int]
    nonzero_cpu: int
    nonzero_memory: int
    """With upstream's minimum for containers that request nothing, for scoring only."""
    tolerations: tuple[Document, ...]
    node_selector: dict[str, str]
    affinity: Document
    ports: frozenset[tuple[str, str, int]]
    """(protocol, host IP, port) of host ports."""
    priority: int
    signature: tuple[object, ...]
    """Pods of one signature fare alike with everything of a node that does not change as pods come and go."""
    demand: tuple[object, ...]
    """Pods of one signature and demand fare alike with a node in every way, as long as it does not change."""


@dataclass(slots=True, eq=False)
class NodeInfo:
    """A node and the sum of what its pods take. `version` changes when the Node object does, `changes` with its
    pods."""

    name: str
    node: Document
    version: int
    allocatable: dict[str, int]
    taints: tuple[Document, ...]
    labels: dict[str, str]
    images: Mapping[str, int] = field(default_factory=dict)
    """Bytes of each image that is there."""
    requested: dict[str, int] = field(default_factory=dict)
    nonzero_cpu: int = 0
    nonzero_memory: int = 0
    ports: dict[tuple[str, str, int], int] = field(default_factory=dict)
    pods: dict[str, PodInfo] = field(default_factory=dict)
    priorities: dict[int, int] = field(default_factory=dict)
    """How many pods there are of each priority."""
    changes: int = 0

    def add(self, info: PodInfo) -> None:
        self._count(info, 1)
        self.pods[info.uid] = info

    def remove(self, uid: str) -> None:
        info = self.pods.pop(uid, None)
        if info is not None:
            self._count(info, -1)

    def _count(self, info: PodInfo, sign: int) -> None:
        self.changes += 1
        requested = self.requested
        for name, amount in info.requests.items():
            requested[name] = requested.get(name, 0) + sign * amount
        self.nonzero_cpu += sign * info.nonzero_cpu
        self.nonzero_memory += sign * info.nonzero_memory
        self.priorities[info.priority] = self.priorities.get(info.priority, 0) + sign
        for port in info.ports:
            self.ports[port] = self.ports.get(port, 0) + sign


class Plugin(Protocol):
    NAME: str


@runtime_checkable
class StaticFilter(Protocol):
    """A filter that looks only at the Node object: its verdict is kept per pod signature and node version."""

    def filter_static(self, pod: PodInfo, node: NodeInfo, minor: int) -> Refusal | None: ...


@runtime_checkable
class Narrow(Protocol):
    """A filter that can tell without looking which nodes alone may do (PreFilterResult.NodeNames)."""

    def names(self, pod: PodInfo) -> frozenset[str] | None: ...


@runtime_checkable
class Filter(Protocol):
    """A filter that looks at what runs on the node, and at nothing beyond it: verdicts are kept."""

    def filter(self, pod: PodInfo, node: NodeInfo) -> Refusal | None: ...


NodeCheck = Callable[[NodeInfo], Refusal | None]


@runtime_checkable
class PreFilter(Protocol):
    """A filter that looks beyond the node: by the counts of `Cache.index`, not by walking over pods."""

    def prefilter(self, pod: PodInfo, cache: Cache) -> NodeCheck | None:
        """What to ask of each node in this cycle; None: nothing."""


@runtime_checkable
class PreScore(Protocol):
    """A score that looks beyond the node."""

    WEIGHT: int

    def prescore(self, pod: PodInfo, cache: Cache, nodes: Sequence[NodeInfo]) -> Sequence[int] | None:
        """The scores of the feasible nodes, 0 to 100, normalized; None: the pod has no preference."""


@dataclass(frozen=True, slots=True)
class Nomination:
    """What came of making room: a node and the pods to go from it, or the words why there is none.

    `kept`: the pod stays nominated where it is.
    """

    node: str = ""
    victims: tuple[PodInfo, ...] = ()
    words: str = ""
    kept: bool = False


@runtime_checkable
class PostFilter(Protocol):
    """What to do for a pod that fits nowhere."""

    def post_filter(self, pod: PodInfo, refusals: Mapping[str, Refusal], cycle: Cycle) -> Nomination: ...


@runtime_checkable
class Configurable(Protocol):
    """A plugin that takes arguments from a profile's `pluginConfig`."""

    def configured(self, args: Mapping[str, Any]) -> Plugin:
        """Itself with these. Raises ValueError that names the field."""


@runtime_checkable
class Score(Protocol):
    """How well the node does, 0 to 100, times WEIGHT. Looks at nothing beyond it: scores are kept."""

    WEIGHT: int

    def score(self, pod: PodInfo, node: NodeInfo) -> int: ...


@runtime_checkable
class RelativeScore(Protocol):
    """A score that is normalized over all feasible nodes. The raw one looks at nothing beyond the node."""

    WEIGHT: int

    def raw_score(self, pod: PodInfo, node: NodeInfo) -> int: ...

    def normalize(self, scores: Sequence[int]) -> list[int]: ...


def default_normalize(scores: Sequence[int], reverse: bool) -> list[int]:
    """Scale to 0..100 by the highest (plugins/helper DefaultNormalizeScore)."""
    highest = max(scores, default=0)
    if highest == 0:
        return [MAX_SCORE if reverse else 0] * len(scores)
    scaled = [score * MAX_SCORE // highest for score in scores]
    return [MAX_SCORE - score for score in scaled] if reverse else scaled
