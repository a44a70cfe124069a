"""MutatingWebhookConfiguration: webhooks that may change objects before they are stored."""

from __future__ import annotations

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.admissionregistration.webhook import default_webhooks
from tiphys.kinds.shapes.columns import AGE, count


def default(document: Document, context: Context) -> None:
    default_webhooks(document, context)
    for webhook in document.get("webhooks") or ():
        webhook["reinvocationPolicy"] = webhook.get("reinvocationPolicy") or "Never"


KIND = Kind(
    group="admissionregistration.k8s.io",
    kind="MutatingWebhookConfiguration",
    plural="mutatingwebhookconfigurations",
    namespaced=False,
    columns=(
        Column(
            "Webhooks",
            count("webhooks"),
            type="integer",
            description="Webhooks indicates the number of webhooks registered in this configuration",
        ),
        AGE,
    ),
    default=default,
    unconditional_update=False,
)
