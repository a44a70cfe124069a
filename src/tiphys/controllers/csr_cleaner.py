"""Removes requests for certificates that nobody needs any more (`pkg/controller/certificates/cleaner/cleaner.go`)."""

from __future__ import annotations

import base64
import logging

from cryptography import x509

from tiphys.base.clock import parse_rfc3339
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.retry import is_not_found
from tiphys.controllers import certificate_requests as requests
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.periodic import periodically
from tiphys.pki.pem import blocks

log = logging.getLogger(__name__)
HOUR = 3600.0
_SETTLED = HOUR
"""How long what is approved, denied or failed is kept."""
_PENDING = 24 * HOUR


class CsrCleaner:
    """Looks at all of them once an hour."""

    def __init__(self, context: Context) -> None:
        self._client = context.client
        self._clock = context.clock
        self._requests = context.informers.of(requests.API_VERSION, requests.PLURAL)

    async def run(self) -> None:
        await self._requests.synced()
        await periodically(self._clock, HOUR, self._clean, "csrcleaner")

    async def _clean(self) -> None:
        for request in list(self._requests.items.values()):
            why = reason_to_remove(request, self._clock.now())
            if not why:
                continue
            name = request["metadata"]["name"]
            log.info("Cleaning CSR %s as %s.", name, why)
            try:
                await self._client.delete(requests.API_VERSION, requests.PLURAL, name)
            except StatusError as error:
                if not is_not_found(error):
                    raise


def reason_to_remove(request: Document, now: float) -> str:
    """Why a request may go; empty while it stays."""
    issued = bool(requests.status(request).get("certificate"))
    for condition in requests.conditions(request):
        kind = condition.get("type")
        kept = kind in ("Denied", "Failed") or (kind == "Approved" and issued)
        if kept and _older(condition.get("lastUpdateTime"), _SETTLED, now):
            return f"it is more than 1h0m0s old and {str(kind).lower()}"
    if not requests.conditions(request) and _older(request["metadata"].get("creationTimestamp"), _PENDING, now):
        return "it is more than 24h0m0s old and unhandled"
    if issued and requests.has_condition(request, "Approved") and _ended(request, now):
        return "the associated certificate is expired"
    return ""


def _older(time: str | None, seconds: float, now: float) -> bool:
    return bool(time) and parse_rfc3339(str(time)) + seconds < now


def _ended(request: Document, now: float) -> bool:
    found = blocks(base64.b64decode(requests.status(request)["certificate"]))
    try:
        return bool(found) and x509.load_der_x509_certificate(found[0].der).not_valid_after_utc.timestamp() < now
    except ValueError:
        return False


CONTROLLER = ControllerSpec("certificatesigningrequest-cleaner", CsrCleaner)
