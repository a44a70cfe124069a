"""Deletes bootstrap tokens that have run out (`pkg/controller/bootstrap/tokencleaner.go`)."""

from __future__ import annotations

import asyncio

from tiphys.base.document import split_key
from tiphys.base.status import StatusError
from tiphys.client.informer import Informer
from tiphys.client.retry import is_conflict, is_not_found
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.reconciler import Reconciler
from tiphys.pki.bootstrap_token import NAMESPACE, SECRET_TYPE, contents, seconds_left


class TokenCleaner(Reconciler):
    """Keys are secrets of kube-system; each is looked at again when its token runs out."""

    name = "token-cleaner"
    workers = 1

    def __init__(self, context: Context) -> None:
        selector = f"type={SECRET_TYPE}"
        self.secrets = Informer(
            context.client, "v1", "secrets", NAMESPACE, field_selector=selector, clock=context.clock
        )
        super().__init__(context, [self.secrets])
        self.secrets.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new))

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.secrets.run(), name="informer of bootstrap tokens")
            await super().run()

    async def reconcile(self, key: str) -> None:
        secret = self.secrets.items.get(key)
        if secret is None or secret.get("type") != SECRET_TYPE:
            return
        left = seconds_left(contents(secret), self.clock.now())
        if left:
            self.queue.add_after(key, left)
        if left != 0:
            return
        namespace, name = split_key(key)
        try:
            await self.client.delete("v1", "secrets", name, namespace, uid=secret["metadata"]["uid"])
        except StatusError as error:
            if not (is_not_found(error) or is_conflict(error)):
                raise


CONTROLLER = ControllerSpec("token-cleaner", TokenCleaner)
