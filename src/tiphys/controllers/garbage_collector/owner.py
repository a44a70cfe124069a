"""Is there still the owner that a reference names? The graph knows, or else the API."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.retry import is_not_found
from tiphys.controllers.garbage_collector.graph import FOREGROUND, Graph, Node
from tiphys.controllers.garbage_collector.monitors import Monitors

MOST_ABSENT = 500
_Coordinates = tuple[str, ...]


class UnknownOwnerKind(Exception):
    """No resource of this apiVersion and kind is served; it may be, later."""


class NamespacedOwnerOfClusterObject(Exception):
    """A cluster-scoped object names an owner in a namespace: nobody can say which."""


@dataclass(slots=True)
class Owners:
    """An object's references by what became of their owners (classifyReferences)."""

    solid: list[Document] = field(default_factory=list)
    dangling: list[Document] = field(default_factory=list)
    waiting: list[Document] = field(default_factory=list)
    """The owner waits for this object to be deleted."""
    unobserved: bool = False
    """Some owner exists but no informer has shown it yet."""


class OwnerLookup:
    """`strange` is told of an object whose owner is known to be in another namespace."""

    def __init__(
        self, client: Client, graph: Graph, monitors: Monitors, strange: Callable[[Node, Document], None]
    ) -> None:
        self._client = client
        self._strange = strange
        self._graph = graph
        self._monitors = monitors
        self._absent: OrderedDict[_Coordinates, None] = OrderedDict()

    async def classify(self, node: Node, references: tuple[Document, ...]) -> Owners:
        """Raises UnknownOwnerKind, NamespacedOwnerOfClusterObject, StatusError."""
        owners = Owners()
        for reference in references:
            known = self._graph.nodes.get(reference.get("uid") or "")
            if known is not None and known.is_meant_by(reference, node.namespace):
                waits = known.waits
            else:
                if known is not None and known.namespace not in ("", node.namespace):
                    self._strange(node, reference)
                owner = await self._live(reference, node)
                if owner is None:
                    owners.dangling.append(reference)
                    continue
                owners.unobserved = owners.unobserved or known is None
                meta = owner["metadata"]
                waits = bool(meta.get("deletionTimestamp")) and FOREGROUND in (meta.get("finalizers") or ())
            (owners.waiting if waits else owners.solid).append(reference)
        return owners

    async def _live(self, reference: Document, node: Node) -> Document | None:
        """The owner as the API has it; None if it is gone, which is remembered: uids do not come back."""
        resource = self._monitors.resources.get((reference.get("apiVersion") or "", reference.get("kind") or ""))
        if resource is None:
            raise UnknownOwnerKind(f"{reference.get('apiVersion')} {reference.get('kind')}")
        if resource.namespaced and not node.namespace:
            raise NamespacedOwnerOfClusterObject
        namespace = node.namespace if resource.namespaced else ""
        coordinates = (*(str(reference.get(field)) for field in ("apiVersion", "kind", "name", "uid")), namespace)
        if coordinates in self._absent:
            self._absent.move_to_end(coordinates)
            return None
        try:
            found = await self._client.get(resource.api_version, resource.plural, reference["name"], namespace)
        except StatusError as error:
            if not is_not_found(error):
                raise
            found = None
        if found is None or found["metadata"].get("uid") != reference.get("uid"):
            self._remember(coordinates)
            return None
        return found

    def _remember(self, coordinates: _Coordinates) -> None:
        self._absent[coordinates] = None
        if len(self._absent) > MOST_ABSENT:
            self._absent.popitem(last=False)
