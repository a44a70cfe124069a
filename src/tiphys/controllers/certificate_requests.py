"""What the controllers of CertificateSigningRequests share: keys are names, and what has its certificate is done
(`pkg/controller/certificates/certificate_controller.go`)."""

from __future__ import annotations

import base64
import copy
from abc import abstractmethod
from typing import Any

from tiphys.base.document import Document
from tiphys.controllers.contract import Context
from tiphys.controllers.reconciler import Reconciler

API_VERSION = "certificates.k8s.io/v1"
PLURAL = "certificatesigningrequests"
CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY = "kubernetes.io/legacy-unknown"


class CertificateRequests(Reconciler):
    """Looks at each request that has no certificate yet; `handle` may change what it is given."""

    workers = 1

    def __init__(self, context: Context) -> None:
        self.requests = context.informers.of(API_VERSION, PLURAL)
        super().__init__(context, [self.requests])
        self.requests.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new))

    async def reconcile(self, key: str) -> None:
        found = self.requests.items.get(key)
        if found is not None and not status(found).get("certificate"):
            await self.handle(copy.deepcopy(found))

    @abstractmethod
    async def handle(self, request: Document) -> None: ...


def status(request: Document) -> Document:
    found: Document = request.get("status") or {}
    return found


def spec(request: Document) -> Document:
    found: Document = request.get("spec") or {}
    return found


def conditions(request: Document) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = status(request).get("conditions") or []
    return found


def has_condition(request: Document, kind: str) -> bool:
    return any(condition.get("type") == kind for condition in conditions(request))


def with_condition(request: Document, condition: Document) -> Document:
    return {**request, "status": {**status(request), "conditions": [*conditions(request), condition]}}


def request_pem(request: Document) -> bytes:
    """What is asked for; the API has seen to it that it is a PKCS #10 request in PEM."""
    return base64.b64decode(spec(request).get("request") or "")
