"""Requests and limits of a pod as a whole, filled in from those of its containers (defaultPodRequests)."""

from __future__ import annotations

from tiphys.base.document import Document
from tiphys.kinds.shapes.pod_resources_validation import container_requests
from tiphys.kinds.shapes.resource_name import is_huge_page

_PLAIN = ("cpu", "memory")


def default_pod_resources(spec: Document) -> None:
    """Where pod-level limits are given: requests are what the containers ask for, or else the limits."""
    resources = spec["resources"]
    limits = resources.get("limits")
    if not limits:
        return
    requests = resources.get("requests") or {}
    for name, amount in container_requests(spec).items():
        if name in _PLAIN:
            requests.setdefault(name, str(amount))
    for name, amount in limits.items():
        if name in _PLAIN or is_huge_page(name):
            requests.setdefault(name, amount)
    if requests:
        resources["requests"] = requests
