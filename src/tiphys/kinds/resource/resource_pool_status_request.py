"""ResourcePoolStatusRequest: how much of a pool of devices is left?"""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.kinds.shapes.columns import CREATED_AT

KIND = Kind(
    group="resource.k8s.io",
    kind="ResourcePoolStatusRequest",
    plural="resourcepoolstatusrequests",
    namespaced=False,
    versions=("v1alpha3",),
    storage_version="v1alpha3",
    subresources=(STATUS,),
    columns=(CREATED_AT,),
    has_generation=False,
)
