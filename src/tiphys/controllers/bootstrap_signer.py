"""Signs what a joining node is told of the cluster, ConfigMap `cluster-info` in kube-public, with every bootstrap
token that may sign: the node knows the token, and by it that nobody else wrote this
(`pkg/controller/bootstrap/bootstrapsigner.go`)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.informer import Informer
from tiphys.client.retry import is_conflict, is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.reconciler import Reconciler
from tiphys.pki.bootstrap_token import NAMESPACE, SECRET_TYPE, contents, detached_signature, seconds_left

CONFIG_MAP = ("kube-public", "cluster-info")
_SIGNED = "kubeconfig"
_SIGNATURE = "jws-kubeconfig-"
_NAME = "bootstrap-token-"


class BootstrapSigner(Reconciler):
    """There is one key: the ConfigMap."""

    name = "bootstrap-signer"
    workers = 1

    def __init__(self, context: Context) -> None:
        client, clock = context.client, context.clock
        namespace, name = CONFIG_MAP
        of_name, of_type = f"metadata.name={name}", f"type={SECRET_TYPE}"
        self.maps = Informer(client, "v1", "configmaps", namespace, field_selector=of_name, clock=clock)
        self.secrets = Informer(client, "v1", "secrets", NAMESPACE, field_selector=of_type, clock=clock)
        super().__init__(context, [self.maps, self.secrets])
        for informer in (self.maps, self.secrets):
            informer.add_handlers(self._changed, lambda _old, new: self._changed(new), self._changed)

    def _changed(self, _: Document) -> None:
        self.queue.add("/".join(CONFIG_MAP))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.maps.run(), name="informer of cluster-info")
            group.create_task(self.secrets.run(), name="informer of signing tokens")
            await super().run()

    async def reconcile(self, key: str) -> None:
        config_map = self.maps.items.get(key)
        data = (config_map or {}).get("data") or {}
        if config_map is None or _SIGNED not in data:
            return
        kept = {name: value for name, value in data.items() if not name.startswith(_SIGNATURE)}
        tokens = sorted(self._tokens())
        signed = kept | {f"{_SIGNATURE}{each}": detached_signature(data[_SIGNED], each, own) for each, own in tokens}
        if signed == data:
            return
        try:
            await self.client.update("v1", "configmaps", {**config_map, "data": signed}, CONFIG_MAP[0])
        except StatusError as error:
            if not (is_not_found(error) or is_conflict(error)):
                raise

    def _tokens(self) -> Iterator[tuple[str, str]]:
        """(id, secret half) of every token that may sign."""
        for secret in self.secrets.items.values():
            data = contents(secret)
            token_id, own = data.get("token-id", ""), data.get("token-secret", "")
            named = secret["metadata"]["name"] == f"{_NAME}{token_id}" and secret.get("type") == SECRET_TYPE
            allowed = data.get("usage-bootstrap-signing") == "true" and seconds_left(data, self.clock.now()) != 0
            if token_id and own and named and allowed:
                yield token_id, own


CONTROLLER = ControllerSpec("bootstrap-signer", BootstrapSigner)
