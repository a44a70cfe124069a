"""Which pods a selector selects and whose selectors select a pod, without looking at all of either.

Pods are indexed by namespace and by each label with its value, those that say only which revision made a pod left
out. What has a selector is indexed by one of the labels it asks for, else by its namespace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tiphys.base.document import Document
from tiphys.base.label_selector import Selector
from tiphys.client.indexer import IndexFunction
from tiphys.client.informer import Informer

BY_LABEL = "label"
BY_SELECTOR = "selector"
_OF_REVISIONS = frozenset(("pod-template-hash", "controller-revision-hash", "pod-template-generation"))
Labels = Mapping[str, str]
AT_ONCE = 50
SECONDS_PER_POD = 0.0003
LONGEST_DELAY = 1.0
"""What selects n pods, n over AT_ONCE, is looked at no oftener than every n of these seconds, or this many."""


def index_by_label(pods: Informer) -> None:
    """Let `selected` work on this informer."""
    pods.add_index(BY_LABEL, _pod_keys)


def index_by_selector(informer: Informer, labels_of: Callable[[Document], Labels | None]) -> None:
    """Let `candidates` work on this informer; `labels_of` gives the labels a document's selector
    asks for by equality."""

    def keys(document: Document) -> tuple[str]:
        namespace = document["metadata"]["namespace"]
        asked = [item for item in sorted((labels_of(document) or {}).items()) if item[0] not in _OF_REVISIONS]
        return (_key(namespace, *asked[0]) if asked else namespace,)

    function: IndexFunction = keys
    informer.add_index(BY_SELECTOR, function)


def selected(pods: Informer, namespace: str, selector: Selector, labels: Labels) -> list[Document]:
    """The namespace's pods that the selector selects; `labels` are those it asks for by equality. Unordered.

    Looks only at the pods with the rarest of these labels.
    """
    keys = [_key(namespace, *item) for item in labels.items() if item[0] not in _OF_REVISIONS]
    found = min((pods.indexed(BY_LABEL, key) for key in keys or [namespace]), key=len)
    return [pod for pod in found.values() if selector.matches(pod["metadata"].get("labels"))]


def candidates(informer: Informer, pod: Document) -> Iterator[Document]:
    """Documents whose selector may select the pod; all that do are among them."""
    for key in _pod_keys(pod):
        yield from informer.indexed(BY_SELECTOR, key).values()


def delay(pods: int) -> float:
    """Seconds to wait, of that many selected pods, for more to change before all are looked at."""
    return min(pods * SECONDS_PER_POD, LONGEST_DELAY) if pods > AT_ONCE else 0.0


def _pod_keys(pod: Document) -> list[str]:
    meta = pod["metadata"]
    namespace = meta["namespace"]
    labels = meta.get("labels") or {}
    return [namespace, *(_key(namespace, *item) for item in labels.items() if item[0] not in _OF_REVISIONS)]


def _key(namespace: str, label: str, value: str) -> str:
    return f"{namespace}/{label}={value}"
