"""Signs what has been approved, for the four signers of Kubernetes (`pkg/controller/certificates/signer/signer.go`).

The options `cluster-signing-cert-file` and `cluster-signing-key-file` name the authority's files, which are read each
time, so that an authority may be replaced; `cluster-signing-duration` is the longest a certificate lasts, in seconds.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from cryptography import x509

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers import certificate_requests as requests
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.kubelet_certificate import client_problem, serving_problem
from tiphys.pki.pair import Pair
from tiphys.pki.signing_policy import duration, parse_request, sign

Problem = Callable[[x509.CertificateSigningRequest, Iterable[str]], str]
YEAR = 365 * 86400.0


def _api_client_problem(_: x509.CertificateSigningRequest, usages: Iterable[str]) -> str:
    found = list(usages)
    for usage in found:
        if usage not in ("digital signature", "key encipherment", "client auth"):
            return f"invalid usage for client certificate: {usage}"
    return "" if "client auth" in found else "missing required usage for client certificate: client auth"


def _none(_: x509.CertificateSigningRequest, usages: Iterable[str]) -> str:
    return ""


_SIGNERS: dict[str, Problem] = {
    requests.CLIENT: _api_client_problem,
    requests.KUBELET_CLIENT: client_problem,
    requests.KUBELET_SERVING: serving_problem,
    requests.LEGACY: _none,
}


class CsrSigning(requests.CertificateRequests):
    """A request its signer would not sign is marked Failed."""

    name = "certificatesigningrequest-signing"

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._certificate = context.option("cluster-signing-cert-file", "")
        self._key = context.option("cluster-signing-key-file", "")
        self._longest = timedelta(seconds=context.option("cluster-signing-duration", YEAR))

    async def handle(self, request: Document) -> None:
        approved = requests.has_condition(request, "Approved") and not requests.has_condition(request, "Denied")
        if not self._certificate or not approved or requests.has_condition(request, "Failed"):
            return
        spec = requests.spec(request)
        problem_of = _SIGNERS.get(spec.get("signerName") or "")
        if problem_of is None:
            return
        usages = spec.get("usages") or []
        problem = problem_of(parse_request(requests.request_pem(request)), usages)
        settled = requests.with_condition(request, self._failure(problem)) if problem else self._signed(request)
        await self.client.update_status(requests.API_VERSION, requests.PLURAL, settled)

    def _failure(self, problem: str) -> Document:
        return {
            "type": "Failed",
            "status": "True",
            "reason": "SignerValidationFailure",
            "message": problem,
            "lastUpdateTime": rfc3339(self.clock.now()),
        }

    def _signed(self, request: Document) -> Document:
        spec = requests.spec(request)
        authority = Pair(Path(self._certificate).read_bytes(), Path(self._key).read_bytes())
        lasts = duration(spec.get("expirationSeconds"), self._longest)
        usages = spec.get("usages") or []
        certificate = sign(authority, requests.request_pem(request), usages, lasts, self.clock.now())
        encoded = base64.b64encode(certificate).decode()
        return {**request, "status": {**requests.status(request), "certificate": encoded}}


CONTROLLER = ControllerSpec("certificatesigningrequest-signing", CsrSigning)
