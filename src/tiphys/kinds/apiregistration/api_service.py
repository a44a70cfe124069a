"""APIService: which server answers for a group and version.

From upstream's `kube-aggregator/pkg/registry/apiservice`.
"""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.base.name_rules import path_segment
from tiphys.kinds.shapes.columns import AGE, at
from tiphys.kinds.shapes.part import part


def default(document: Document, context: Context) -> None:
    """SetDefaults_ServiceReference."""
    service = part(document, "spec").get("service")
    if service and service.get("port") is None:
        service["port"] = 443


def prepare_create(document: Document, context: Context) -> None:
    """What this server itself answers for is available from the start (NewLocalAvailableAPIServiceCondition)."""
    document["status"] = {}


def name_errors(name: str, is_prefix: bool) -> list[str]:
    """Any path segment; the name is `version.group`."""
    return path_segment(name)


def _service(document: Document, now: float) -> str:
    service = at(document, "spec.service")
    return f"{service.get('namespace') or ''}/{service.get('name') or ''}" if service else "Local"


def _available(document: Document, now: float) -> str:
    for condition in at(document, "status.conditions") or ():
        if condition.get("type") == "Available":
            if condition.get("status") == "True":
                return "True"
            return f"{condition.get('status') or ''} ({condition.get('reason') or ''})"
    return "Unknown"


KIND = Kind(
    group="apiregistration.k8s.io",
    kind="APIService",
    plural="apiservices",
    namespaced=False,
    categories=("api-extensions",),
    subresources=(STATUS,),
    columns=(
        Column("Service", _service, description="The reference to the service that hosts this API endpoint."),
        Column("Available", _available, description="Whether this service is available."),
        AGE,
    ),
    has_generation=False,
    default=default,
    prepare_create=prepare_create,
    name_errors=name_errors,
    unconditional_update=False,
)
