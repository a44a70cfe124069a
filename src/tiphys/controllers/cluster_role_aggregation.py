"""Cluster roles that are made of others follow them (kubernetes `pkg/controller/clusterroleaggregation`)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.reconciler import Reconciler
from tiphys.resource.aggregated_rules import aggregated_rules

_API_VERSION = "rbac.authorization.k8s.io/v1"
_PLURAL = "clusterroles"


class ClusterRoleAggregation(Reconciler):
    """Keys are names of cluster roles. Any change of one may concern every role that is made of others."""

    name = "clusterrole-aggregation"
    workers = 1

    def __init__(self, context: Context) -> None:
        self.roles = context.informers.of(_API_VERSION, _PLURAL)
        super().__init__(context, [self.roles])
        self._aggregated: set[str] = set()
        self.roles.add_handlers(self._changed, lambda _old, new: self._changed(new), self._changed)

    def _changed(self, role: Document) -> None:
        if role.get("aggregationRule"):
            self._aggregated.add(role["metadata"]["name"])
        for name in sorted(self._aggregated):
            self.queue.add(name)

    async def reconcile(self, key: str) -> None:
        role = self.roles.items.get(key)
        if role is None or not role.get("aggregationRule"):
            self._aggregated.discard(key)
            return
        rules = aggregated_rules(role, self.roles.items.values())
        if rules != (role.get("rules") or []):
            await self.client.update(_API_VERSION, _PLURAL, {**role, "rules": rules})


CONTROLLER = ControllerSpec("clusterrole-aggregation", ClusterRoleAggregation)
