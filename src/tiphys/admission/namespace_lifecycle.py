"""NamespaceLifecycle: nothing is created in a namespace that is missing or going away, and three may not go
(apiserver `pkg/admission/plugin/namespace/lifecycle`)."""

from __future__ import annotations

from tiphys.admission.plugin import CREATE, DELETE, AdmitOnly, Base, refuse
from tiphys.api.admission import Attributes
from tiphys.base.status import StatusError, forbidden, not_found

IMMORTAL = frozenset({"default", "kube-system", "kube-public"})

_REVIEWS = ("authorization.k8s.io", "localsubjectaccessreviews")
"""Always let pass: an answer would tell whether there is such a namespace."""


class NamespaceLifecycle(AdmitOnly, Base):
    NAME = "NamespaceLifecycle"

    async def admit(self, attributes: Attributes) -> None:
        if attributes.resource == "namespaces" and not attributes.group:
            if attributes.operation == DELETE and attributes.name in IMMORTAL:
                raise forbidden("namespaces", attributes.name, "this namespace may not be deleted")
            return
        if attributes.operation != CREATE or not attributes.namespace:
            return
        if (attributes.group, attributes.resource) != _REVIEWS:
            await self._admit_creation(attributes)

    async def _admit_creation(self, attributes: Attributes) -> None:
        namespace = await self.reader.get("", "namespaces", "", attributes.namespace)
        if namespace is None:
            raise not_found("namespaces", attributes.namespace)
        if (namespace.get("status") or {}).get("phase") == "Terminating":
            raise _terminating(attributes)


def _terminating(attributes: Attributes) -> StatusError:
    name = attributes.namespace
    error = refuse(attributes, f"unable to create new content in namespace {name} because it is being terminated")
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {name} is being terminated",
        "field": "metadata.namespace",
    }
    error.details = {**(error.details or {}), "causes": [cause]}
    return error


PLUGIN = NamespaceLifecycle
