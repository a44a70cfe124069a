"""Protection finalizers: `pkg/controller/volume/pvcprotection`, `pvprotection`."""

from __future__ import annotations

from typing import Any

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.controllers import pv_protection, pvc_protection

POD = {
    "metadata": {"name": "p"},
    "spec": {
        "nodeName": "n1",
        "containers": [{"name": "c"}],
        "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "c"}}],
    },
}


def _claim(cluster: Any) -> Document | None:
    found: Document | None = cluster.api.objects.get(("", "persistentvolumeclaims", "team", "c"))
    return found


def _finalizers(document: Document | None) -> list[str]:
    return (document or {"metadata": {}})["metadata"].get("finalizers") or []


async def test_a_claim_in_use_stays_until_its_pod_is_gone(cluster: Any) -> None:
    async with cluster.running(pvc_protection.CONTROLLER):
        await cluster.client.create("v1", "persistentvolumeclaims", {"metadata": {"name": "c"}, "spec": {}}, "team")
        await cluster.api.until(lambda: pvc_protection.FINALIZER in _finalizers(_claim(cluster)))
        await cluster.client.create("v1", "pods", POD, "team")
        await cluster.client.delete("v1", "persistentvolumeclaims", "c", "team")
        assert "deletionTimestamp" in (_claim(cluster) or {})["metadata"]
        await cluster.client.delete("v1", "pods", "p", "team", grace_period=0)
        await cluster.api.until(lambda: _claim(cluster) is None)


async def test_an_unused_claim_goes_at_once(cluster: Any) -> None:
    async with cluster.running(pvc_protection.CONTROLLER):
        meta = {"name": "c", "finalizers": [pvc_protection.FINALIZER]}
        await cluster.client.create("v1", "persistentvolumeclaims", {"metadata": meta, "spec": {}}, "team")
        await cluster.client.delete("v1", "persistentvolumeclaims", "c", "team")
        await cluster.api.until(lambda: _claim(cluster) is None)


async def test_a_bound_volume_stays_until_it_is_released(cluster: Any) -> None:
    async with cluster.running(pv_protection.CONTROLLER):
        await cluster.client.create("v1", "persistentvolumes", {"metadata": {"name": "v"}, "spec": {}})

        def volume() -> Document | None:
            found: Document | None = cluster.api.objects.get(("", "persistentvolumes", "", "v"))
            return found

        await cluster.api.until(lambda: pv_protection.FINALIZER in _finalizers(volume()))
        bound = {"status": {"phase": "Bound"}}
        await cluster.client.patch("v1", "persistentvolumes", "v", bound, subresource="status")
        await cluster.client.delete("v1", "persistentvolumes", "v")
        assert "deletionTimestamp" in (volume() or {})["metadata"]
        released = {"status": {"phase": "Released"}}
        try:
            await cluster.client.patch("v1", "persistentvolumes", "v", released, subresource="status")
        except StatusError as error:
            assert error.code == 404
        await cluster.api.until(lambda: volume() is None)
