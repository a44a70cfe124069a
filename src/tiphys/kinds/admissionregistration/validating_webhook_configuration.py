"""ValidatingWebhookConfiguration: webhooks that may refuse objects before they are stored."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.kinds.admissionregistration.webhook import default_webhooks
from tiphys.kinds.shapes.columns import AGE, count

KIND = Kind(
    group="admissionregistration.k8s.io",
    kind="ValidatingWebhookConfiguration",
    plural="validatingwebhookconfigurations",
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
    default=default_webhooks,
    unconditional_update=False,
)
