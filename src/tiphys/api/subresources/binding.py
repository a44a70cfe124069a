"""pods/binding: put a pod on a node (k/k `registry/core/pod/storage/storage.go` BindingREST)."""

from __future__ import annotations

from tiphys.api import answer, condition
from tiphys.api.call import Call
from tiphys.api.catalog import Resource
from tiphys.api.change import Change, apply
from tiphys.api.decode import decode_kind
from tiphys.api.kind import Context
from tiphys.api.object_meta import match_namespace
from tiphys.api.options import WriteOptions, write_options
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, required, unsupported
from tiphys.base.http import Response
from tiphys.base.status import bad_request, conflict, invalid


async def handle(call: Call) -> Response:
    options = write_options(call.query, "CreateOptions")
    binding = await decode_kind(call, options, "", "v1", "Binding")
    match_namespace(binding["metadata"], call.namespace)
    if binding["metadata"].get("name") != call.info.name:
        raise bad_request("name in URL does not match name in Binding object")
    await _admit(call, options, binding)
    _validate(binding)

    def bound(pod: Document) -> Document:
        return _bound(call, binding, pod)

    await apply(call, Change(bound, options, _unchanged, binding["metadata"].get("uid") or "", admitted=False))
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return answer.plain_document(call, 201, status)


async def _admit(call: Call, options: WriteOptions, binding: Document) -> None:
    if call.api.admission is not None:
        attributes = call.attributes("CREATE", options, binding, None)
        attributes.kind = "Binding"
        await call.api.admission.admit(attributes)
        await call.api.admission.validate(attributes)


def _validate(binding: Document) -> None:
    """ValidatePodBinding."""
    target = binding.get("target") or {}
    errors: list[FieldError] = []
    if target.get("kind") not in (None, "", "Node"):
        errors.append(unsupported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        errors.append(required("target.name"))
    if errors:
        raise invalid("", "Binding", binding["metadata"]["name"], errors)


def _bound(call: Call, binding: Document, pod: Document) -> Document:
    """The pod with its node, the binding's annotations and labels, and the PodScheduled condition."""
    metadata, name = pod["metadata"], pod["metadata"]["name"]
    resource = "pods/binding"
    if metadata.get("deletionTimestamp"):
        raise conflict(resource, name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        node = pod["spec"]["nodeName"]
        raise conflict(resource, name, f'pod {name} is already assigned to node "{node}"')
    if pod["spec"].get("schedulingGates"):
        raise conflict(resource, name, f"pod {name} has non-empty .spec.schedulingGates")
    pod["spec"]["nodeName"] = binding["target"]["name"]
    for field in ("annotations", "labels"):
        if binding["metadata"].get(field):
            metadata[field] = {**(metadata.get(field) or {}), **binding["metadata"][field]}
    now = rfc3339(call.api.clock.now())
    condition.set_condition(pod.setdefault("status", {}), {"type": "PodScheduled", "status": "True"}, now)
    return pod


def _unchanged(resource: Resource, new: Document, old: Document, context: Context) -> tuple[str, ...]:
    """Upstream writes a binding straight to the store: no preparation, no validation."""
    return ()


SPECIAL = {("pods", "binding"): handle}
