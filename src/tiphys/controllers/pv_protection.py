"""A volume that is bound to a claim is not deleted under it (`pkg/controller/volume/pvprotection`)."""

from __future__ import annotations

from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.finalizer import change_finalizer, has_finalizer
from tiphys.controllers.reconciler import Reconciler

FINALIZER = "kubernetes.io/pv-protection"
VOLUMES = ("v1", "persistentvolumes")


class PVProtection(Reconciler):
    """Keys are volumes."""

    name = "persistentvolume-protection-controller"
    workers = 1

    def __init__(self, context: Context) -> None:
        self.volumes = context.informers.of(*VOLUMES)
        super().__init__(context, [self.volumes])
        self.volumes.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new))

    async def reconcile(self, key: str) -> None:
        volume = self.volumes.items.get(key)
        if volume is None:
            return
        if "deletionTimestamp" not in volume["metadata"]:
            if not has_finalizer(volume, FINALIZER):
                await change_finalizer(self.client, VOLUMES, volume, FINALIZER, present=True)
        elif has_finalizer(volume, FINALIZER) and (volume.get("status") or {}).get("phase") != "Bound":
            await change_finalizer(self.client, VOLUMES, volume, FINALIZER, present=False)


CONTROLLER = ControllerSpec("persistentvolume-protection", PVProtection)
