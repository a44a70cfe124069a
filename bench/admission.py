"""What the admission chain costs a pod, in a namespace without LimitRange and quota: `python bench/admission.py`.

The peer is the JSON of the same pod, read and written once by orjson, in the same run.
"""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Callable, Sequence

import orjson

from tiphys.admission.chain import Chain
from tiphys.api.admission import Attributes, Environment
from tiphys.base.clock import SystemClock
from tiphys.base.document import Document
from tiphys.base.names import RandomIds
from tiphys.base.user import User

ROUNDS = 5
PODS = 2000
POD: Document = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"containers": [{"name": name, "image": "nginx:1.22.0", "resources": {}} for name in ("web", "side")]},
}
KNOWN = {
    ("namespaces", "default"): {"metadata": {"name": "default"}, "status": {"phase": "Active"}},
    ("serviceaccounts", "default"): {"metadata": {"name": "default", "namespace": "default"}},
}


class Store:
    """Reads and writes of a cluster that has a namespace and its account."""

    async def get(self, group: str, plural: str, namespace: str, name: str) -> Document | None:
        return KNOWN.get((plural, name))

    async def list(self, group: str, plural: str, namespace: str = "") -> Sequence[Document]:
        return ()

    async def replace_status(self, group: str, plural: str, document: Document) -> Document:
        raise AssertionError("no quota, nothing to write")


async def _admit(chain: Chain) -> float:
    """Seconds a pod."""
    asked = [_attributes(copy.deepcopy(POD)) for _ in range(PODS)]
    began = time.process_time()
    for each in asked:
        await chain.admit(each)
        await chain.validate(each)
    return (time.process_time() - began) / PODS


def _attributes(pod: Document) -> Attributes:
    return Attributes("CREATE", "", "v1", "pods", "Pod", "", "default", "web", pod, None, User("bench"))


def _json() -> float:
    body = orjson.dumps(POD)
    began = time.process_time()
    for _ in range(PODS):
        orjson.dumps(orjson.loads(body))
    return (time.process_time() - began) / PODS


def _best(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(ROUNDS)) * 1e6


def main() -> None:
    store = Store()
    chain = Chain(Environment(store, store, SystemClock(), RandomIds(), 37))
    cost, peer = _best(lambda: asyncio.run(_admit(chain))), _best(_json)
    print(f"admission chain {cost:.1f} µs a pod, orjson there and back {peer:.1f} µs: {cost / peer:.1f} x")


if __name__ == "__main__":
    main()
