"""CertificateApproval: who may approve requests for a signer
(k/k `plugin/pkg/admission/certificates/approval/admission.go`)."""

from __future__ import annotations

from tiphys.admission.certificate_signer import is_for, may
from tiphys.admission.plugin import UPDATE, Base, ValidateOnly, refuse
from tiphys.api.admission import Attributes
from tiphys.base.field_error import quoted


class CertificateApproval(ValidateOnly, Base):
    NAME = "CertificateApproval"

    async def validate(self, attributes: Attributes) -> None:
        """The signer is the stored request's: a write to /approval cannot name another."""
        if not is_for(attributes, UPDATE, "approval"):
            return
        signer = ((attributes.old or {}).get("spec") or {}).get("signerName") or ""
        if not await may(self.environment, attributes, "approve", signer):
            raise refuse(attributes, f"user not permitted to approve requests with signerName {quoted(signer)}")


PLUGIN = CertificateApproval
