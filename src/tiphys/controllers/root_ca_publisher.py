"""The cluster's CA certificate in every namespace, as ConfigMap `kube-root-ca.crt`
(`pkg/controller/certificates/rootcacertpublisher`).

The option `root-ca` holds the certificate as PEM; without it there is nothing to publish.
"""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.reconciler import Reconciler

NAME = "kube-root-ca.crt"
_ANNOTATION = "kubernetes.io/description"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of "
    "Kubernetes clusters."
)


class RootCAPublisher(Reconciler):
    """Keys are namespaces. What someone changed is put right again."""

    name = "root-ca-certificate-publisher"
    workers = 1

    def __init__(self, context: Context) -> None:
        self.certificate = context.option("root-ca", "")
        self.namespaces = context.informers.of("v1", "namespaces")
        super().__init__(context, [self.namespaces])
        if not self.certificate:
            return
        self.maps = context.informers.of("v1", "configmaps")
        self._waits_for = (self.namespaces, self.maps)
        self.namespaces.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new))
        self.maps.add_handlers(update=lambda _old, new: self._map_changed(new), delete=self._map_changed)

    def _map_changed(self, config_map: Document) -> None:
        if config_map["metadata"]["name"] == NAME:
            self.queue.add(config_map["metadata"]["namespace"])

    async def reconcile(self, key: str) -> None:
        namespace = self.namespaces.items.get(key)
        if namespace is None or (namespace.get("status") or {}).get("phase") != "Active":
            return
        data = {"ca.crt": self.certificate}
        found = self.maps.get(key, NAME)
        if found is None:
            meta = {"name": NAME, "annotations": {_ANNOTATION: _DESCRIPTION}}
            made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
            await self.client.create("v1", "configmaps", made, key)
            return
        annotations = found["metadata"].get("annotations") or {}
        if found.get("data") == data and annotations.get(_ANNOTATION) == _DESCRIPTION:
            return
        meta = {**found["metadata"], "annotations": {**annotations, _ANNOTATION: _DESCRIPTION}}
        await self.client.update("v1", "configmaps", {**found, "metadata": meta, "data": data}, key)


CONTROLLER = ControllerSpec("root-ca-certificate-publisher", RootCAPublisher)
