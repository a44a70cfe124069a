"""A claim that a pod uses is not deleted under it (`pkg/controller/volume/pvcprotection`).

Every claim carries the finalizer; a claim that is being deleted loses it once no pod on a node uses it.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.finalizer import change_finalizer, has_finalizer
from tiphys.controllers.pod_state import is_terminal
from tiphys.controllers.reconciler import Reconciler
from tiphys.resource.pod_references import volume_claim_names

FINALIZER = "kubernetes.io/pvc-protection"
CLAIMS = ("v1", "persistentvolumeclaims")
_INDEX = "claims"


def claims_of(pod: Document) -> Iterable[str]:
    """The keys of the claims a pod mounts, its own ephemeral ones included."""
    namespace = pod["metadata"]["namespace"]
    return [f"{namespace}/{name}" for name in sorted(volume_claim_names(pod))]


class PVCProtection(Reconciler):
    """Keys are claims."""

    name = "persistentvolumeclaim-protection-controller"
    workers = 2

    def __init__(self, context: Context) -> None:
        self.claims = context.informers.of(*CLAIMS)
        self.pods = context.informers.of("v1", "pods")
        super().__init__(context, [self.claims, self.pods])
        self.pods.add_index(_INDEX, claims_of)
        self.claims.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new))
        self.pods.add_handlers(update=self._pod_updated, delete=self._pod_gone)

    def _pod_updated(self, _old: Document, new: Document) -> None:
        if is_terminal(new):
            self._pod_gone(new)

    def _pod_gone(self, pod: Document) -> None:
        for key in claims_of(pod):
            self.queue.add(key)

    async def reconcile(self, key: str) -> None:
        claim = self.claims.items.get(key)
        if claim is None:
            return
        if "deletionTimestamp" not in claim["metadata"]:
            if not has_finalizer(claim, FINALIZER):
                await change_finalizer(self.client, CLAIMS, claim, FINALIZER, present=True)
        elif has_finalizer(claim, FINALIZER) and not self._is_used(key):
            await change_finalizer(self.client, CLAIMS, claim, FINALIZER, present=False)

    def _is_used(self, key: str) -> bool:
        """By a pod that has a node and has not ended."""
        pods = self.pods.indexed(_INDEX, key).values()
        return any(pod["spec"].get("nodeName") and not is_terminal(pod) for pod in pods)


CONTROLLER = ControllerSpec("persistentvolumeclaim-protection", PVCProtection)
