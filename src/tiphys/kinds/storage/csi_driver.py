"""CSIDriver: what a storage driver can do (upstream's `SetDefaults_CSIDriver`, `printCSIDriver`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, NONE, at, boolean, joined
from tiphys.kinds.shapes.part import part

_DEFAULTS: dict[str, object] = {
    "attachRequired": True,
    "podInfoOnMount": False,
    "storageCapacity": False,
    "requiresRepublish": False,
    "fsGroupPolicy": "ReadWriteOnceWithFSType",
}
_SE_LINUX_SINCE = 27


def default(document: Document, context: Context) -> None:
    spec = part(document, "spec")
    for field, value in _DEFAULTS.items():
        if spec.get(field) is None:
            spec[field] = value
    if context.minor >= _SE_LINUX_SINCE and spec.get("seLinuxMount") is None:
        spec["seLinuxMount"] = False
    spec["volumeLifecycleModes"] = spec.get("volumeLifecycleModes") or ["Persistent"]


def _audiences(document: Document, now: float) -> str:
    requests = at(document, "spec.tokenRequests")
    return "<unset>" if requests is None else ",".join(request.get("audience") or "" for request in requests)


def _attach_required(document: Document, now: float) -> bool:
    return at(document, "spec.attachRequired") is not False


KIND = Kind(
    group="storage.k8s.io",
    kind="CSIDriver",
    plural="csidrivers",
    namespaced=False,
    columns=(
        Column("AttachRequired", _attach_required, type="boolean"),
        Column("PodInfoOnMount", boolean("spec.podInfoOnMount"), type="boolean"),
        Column("StorageCapacity", boolean("spec.storageCapacity"), type="boolean"),
        Column("TokenRequests", _audiences),
        Column("RequiresRepublish", boolean("spec.requiresRepublish"), type="boolean"),
        Column("Modes", joined("spec.volumeLifecycleModes", empty=NONE)),
        AGE,
    ),
    default=default,
    returns_object_on_delete=True,
    unconditional_update=False,
)
