"""ComponentStatus: how the control plane's own parts are, asked of them when it is read; never stored."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.base.document import Document


def _healthy(document: Document) -> Document:
    conditions = document.get("conditions") or ()
    return next((condition for condition in conditions if condition.get("type") == "Healthy"), {})


def _status(document: Document, now: float) -> str:
    condition = _healthy(document)
    if not condition:
        return "Unknown"
    return "Healthy" if condition.get("status") == "True" else "Unhealthy"


KIND = Kind(
    kind="ComponentStatus",
    plural="componentstatuses",
    namespaced=False,
    short_names=("cs",),
    verbs=("get", "list"),
    columns=(
        Column("Status", _status, description="Status of the component conditions"),
        Column(
            "Message",
            lambda document, now: _healthy(document).get("message") or "",
            description="Message of the component conditions",
        ),
        Column(
            "Error",
            lambda document, now: _healthy(document).get("error") or "",
            description="Error of the component conditions",
        ),
    ),
    has_generation=False,
)
