"""CertificateSigning: who may sign for a signer
(k/k `plugin/pkg/admission/certificates/signing/admission.go`)."""

from __future__ import annotations

from tiphys.admission.certificate_signer import is_for, may
from tiphys.admission.plugin import UPDATE, Base, ValidateOnly, refuse
from tiphys.api.admission import Attributes
from tiphys.base.document import Document
from tiphys.base.field_error import quoted


class CertificateSigning(ValidateOnly, Base):
    NAME = "CertificateSigning"

    async def validate(self, attributes: Attributes) -> None:
        """Only where the certificate or the conditions change."""
        if not is_for(attributes, UPDATE, "status"):
            return
        new, old = attributes.object or {}, attributes.old or {}
        if _signed(new) == _signed(old):
            return
        signer = (old.get("spec") or {}).get("signerName") or ""
        if not await may(self.environment, attributes, "sign", signer):
            raise refuse(attributes, f"user not permitted to sign requests with signerName {quoted(signer)}")


def _signed(document: Document) -> tuple[object, object]:
    status = document.get("status") or {}
    return status.get("certificate") or "", status.get("conditions") or []


PLUGIN = CertificateSigning
