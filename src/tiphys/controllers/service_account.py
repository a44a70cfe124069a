"""The `default` account of every namespace (`pkg/controller/serviceaccount/serviceaccounts_controller.go`)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.retry import is_already_exists
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.reconciler import Reconciler

DEFAULT = "default"


class ServiceAccountController(Reconciler):
    """Keys are namespaces. Made again when it is deleted."""

    name = "serviceaccount"
    workers = 1

    def __init__(self, context: Context) -> None:
        self.namespaces = context.informers.of("v1", "namespaces")
        self.accounts = context.informers.of("v1", "serviceaccounts")
        super().__init__(context, [self.namespaces, self.accounts])
        self.namespaces.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new))
        self.accounts.add_handlers(delete=self._account_deleted)

    def _account_deleted(self, account: Document) -> None:
        self.queue.add(account["metadata"]["namespace"])

    async def reconcile(self, key: str) -> None:
        namespace = self.namespaces.items.get(key)
        if namespace is None or (namespace.get("status") or {}).get("phase") != "Active":
            return
        if self.accounts.get(key, DEFAULT) is not None:
            return
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": DEFAULT, "namespace": key}}
        try:
            await self.client.create("v1", "serviceaccounts", account, key)
        except StatusError as error:
            if not is_already_exists(error):
                raise


CONTROLLER = ControllerSpec("serviceaccount", ServiceAccountController)
