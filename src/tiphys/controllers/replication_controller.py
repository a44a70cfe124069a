"""ReplicationController: the ReplicaSet's elder, the same but for its selector (`pkg/controller/replication`)."""

from __future__ import annotations

from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.controller_reference import ResourceKind
from tiphys.controllers.replica_set import Flavor, ReplicaSetController

_KIND = ResourceKind("v1", "ReplicationController", "replicationcontrollers")
_FLAVOR = Flavor("replicationcontroller", _KIND, "replication-controller", False)


def _build(context: Context) -> ReplicaSetController:
    return ReplicaSetController(context, _FLAVOR)


CONTROLLER = ControllerSpec("replicationcontroller", _build)
