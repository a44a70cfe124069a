"""Approves kubelets' client certificates when the requester may have them
(`pkg/controller/certificates/approver/sarapprove.go`)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.controllers import certificate_requests as requests
from tiphys.controllers.contract import ControllerSpec
from tiphys.controllers.kubelet_certificate import client_problem, common_name
from tiphys.pki.signing_policy import parse_request

_GROUP = "certificates.k8s.io"


@dataclass(frozen=True, slots=True)
class _Way:
    """A permission that lets a request through without anyone's asking, and what is said then."""

    subresource: str
    message: str


_SELF = _Way("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview.")
_NODE = _Way("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")


class NotApproved(StatusError):
    """A kubelet's request of someone who may not have it: looked at again later, in case that changes."""

    def __init__(self, name: str, tried: list[str]) -> None:
        names = " ".join(tried)
        super().__init__(
            403, "Forbidden", f'recognized csr "{name}" as [{names}] but subject access review was not approved'
        )


class CsrApproving(requests.CertificateRequests):
    """A node may renew its own certificate; a bootstrap token's bearer may get a node's first."""

    name = "certificatesigningrequest-approving"

    async def handle(self, request: Document) -> None:
        if requests.has_condition(request, "Approved") or requests.has_condition(request, "Denied"):
            return
        ways = _ways(request)
        for way in ways:
            if await self._may(request, way):
                condition = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": way.message}
                approved = requests.with_condition(request, condition)
                await self.client.update(requests.API_VERSION, requests.PLURAL, approved, subresource="approval")
                return
        if ways:
            raise NotApproved(request["metadata"]["name"], [way.subresource for way in ways])

    async def _may(self, request: Document, way: _Way) -> bool:
        spec = requests.spec(request)
        attributes = {
            "group": _GROUP,
            "resource": requests.PLURAL,
            "verb": "create",
            "subresource": way.subresource,
        }
        asked = {
            "user": spec.get("username", ""),
            "uid": spec.get("uid", ""),
            "groups": spec.get("groups") or [],
            "extra": spec.get("extra") or {},
            "resourceAttributes": attributes,
        }
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": asked}
        answer = await self.client.create("authorization.k8s.io/v1", "subjectaccessreviews", review)
        return bool((answer.get("status") or {}).get("allowed"))


def _ways(request: Document) -> list[_Way]:
    """How this request might be let through, the narrower first."""
    spec = requests.spec(request)
    if spec.get("signerName") != requests.KUBELET_CLIENT:
        return []
    parsed = parse_request(requests.request_pem(request))
    if client_problem(parsed, spec.get("usages") or []):
        return []
    return [_SELF, _NODE] if spec.get("username") == common_name(parsed) else [_NODE]


CONTROLLER = ControllerSpec("certificatesigningrequest-approving", CsrApproving)
