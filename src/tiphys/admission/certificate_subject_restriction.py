"""CertificateSubjectRestriction: nobody becomes a master by a certificate
(k/k `plugin/pkg/admission/certificates/subjectrestriction/admission.go`)."""

from __future__ import annotations

import base64

from cryptography.x509.oid import NameOID

from tiphys.admission.certificate_signer import is_for
from tiphys.admission.plugin import CREATE, Base, ValidateOnly, refuse
from tiphys.api.admission import Attributes
from tiphys.base.user import MASTERS
from tiphys.pki.signing_policy import parse_request

_SIGNER = "kubernetes.io/kube-apiserver-client"


class CertificateSubjectRestriction(ValidateOnly, Base):
    NAME = "CertificateSubjectRestriction"

    async def validate(self, attributes: Attributes) -> None:
        if not is_for(attributes, CREATE):
            return
        spec = (attributes.object or {}).get("spec") or {}
        if spec.get("signerName") != _SIGNER:
            return
        try:
            request = parse_request(base64.b64decode(spec.get("request") or ""))
        except ValueError as error:
            raise refuse(attributes, f"failed to parse CSR: {error}") from None
        organizations = request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if any(organization.value == MASTERS for organization in organizations):
            raise refuse(attributes, f"use of {_SIGNER} signer with {MASTERS} group is not allowed")


PLUGIN = CertificateSubjectRestriction
