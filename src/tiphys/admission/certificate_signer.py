"""Whether a user may act for a signer (k/k `plugin/pkg/admission/certificates/util.go`)."""

from __future__ import annotations

from tiphys.api.admission import Attributes, Environment
from tiphys.api.request_info import RequestInfo

GROUP = "certificates.k8s.io"
PLURAL = "certificatesigningrequests"


def is_for(attributes: Attributes, operation: str, subresource: str = "") -> bool:
    """Whether it is this operation on a CertificateSigningRequest or a part of one."""
    return (
        attributes.resource == PLURAL
        and attributes.group == GROUP
        and attributes.operation == operation
        and attributes.subresource == subresource
    )


async def may(environment: Environment, attributes: Attributes, verb: str, signer: str) -> bool:
    """Verbs are `approve`, `sign` and `attest`, on the made-up resource `signers`, by name or by domain."""
    if environment.authorizer is None:
        return False
    for name in (signer, f"{signer.partition('/')[0]}/*"):
        info = RequestInfo("", verb, True, GROUP, "*", "signers", "", name)
        if (await environment.authorizer.decide(attributes.user, info)).allowed:
            return True
    return False
