"""scale: a workload's replicas as an autoscaling/v1 Scale (k/k `registry/apps/*/storage/storage.go` ScaleREST)."""

from __future__ import annotations

from typing import Any

from tiphys.api import answer
from tiphys.api.call import Call
from tiphys.api.change import Change, apply
from tiphys.api.decode import decode_kind
from tiphys.api.kind import ScalePaths
from tiphys.api.object_meta import match_name, match_namespace
from tiphys.api.options import WriteOptions, write_options
from tiphys.api.patching import patch_type, read_patch
from tiphys.base import label_selector
from tiphys.base.document import Document
from tiphys.base.field_error import invalid_value
from tiphys.base.http import Response
from tiphys.base.status import conflict, internal_error, invalid, not_found

_SCALE = ("autoscaling", "v1", "Scale")
_DEFINITION = "io.k8s.api.autoscaling.v1.Scale"
_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


async def handle(call: Call) -> Response:
    if call.info.verb == "get":
        return await _get(call)
    return await _patch(call) if call.info.verb == "patch" else await _update(call)


async def _get(call: Call) -> Response:
    record = await call.api.store.get(call.key)
    if record is None:
        raise not_found(call.kind.resource, call.info.name)
    return answer.plain_document(call, 200, _scale_of(call, call.api.loads(record.value)))


async def _update(call: Call) -> Response:
    options = write_options(call.query, "UpdateOptions")
    scale = await decode_kind(call, options, *_SCALE)
    match_namespace(scale["metadata"], call.namespace)
    match_name(scale["metadata"], call.info.name)
    return await _apply(call, options, lambda _: scale)


async def _patch(call: Call) -> Response:
    media_type = patch_type(call)
    options = write_options(call.query, "PatchOptions")
    patch = await call.aside(lambda: read_patch(call, media_type))

    def patched(scale: Document) -> Document:
        return patch.apply(call, options, scale, _SCALE, _DEFINITION)

    return await _apply(call, options, patched)


async def _apply(call: Call, options: WriteOptions, rescale: Any) -> Response:
    """`rescale` is given the current Scale and returns the wanted one; the object follows."""

    def produce(current: Document) -> Document:
        wanted = rescale(_scale_of(call, current))
        _validate(call, wanted, current)
        replicas = (wanted.get("spec") or {}).get("replicas", 0)
        current["metadata"]["resourceVersion"] = wanted["metadata"].get("resourceVersion") or ""
        _set(current, _paths(call).replicas, replicas)
        return current

    value = await apply(call, Change(produce, options))
    return answer.plain_document(call, 200, _scale_of(call, call.api.loads(value)))


def _validate(call: Call, scale: Document, current: Document) -> None:
    """ValidateScale, and the uid as a precondition."""
    name, uid = current["metadata"]["name"], scale["metadata"].get("uid")
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if replicas < 0:
        detail = "must be greater than or equal to 0"
        raise invalid("autoscaling", "Scale", name, [invalid_value("spec.replicas", replicas, detail)])
    found = current["metadata"]["uid"]
    if uid and uid != found:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {found}"
        raise conflict(f"{call.kind.resource}/scale", name, why)


def _paths(call: Call) -> ScalePaths:
    if call.kind.scale is None:
        raise internal_error(f"{call.kind.resource} has a scale subresource but no scale paths")
    return call.kind.scale


def _scale_of(call: Call, document: Document) -> Document:
    paths = _paths(call)
    metadata = {key: document["metadata"][key] for key in _METADATA if key in document["metadata"]}
    spec, replicas = {}, _get_path(document, paths.replicas)
    if replicas:
        spec["replicas"] = replicas
    status: Document = {"replicas": _get_path(document, paths.status_replicas) or 0}
    selector = _selector_text(_get_path(document, paths.selector))
    if selector:
        status["selector"] = selector
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def _selector_text(selector: Any) -> str:
    """A LabelSelector, or a ReplicationController's plain map, in the query's syntax."""
    if not isinstance(selector, dict):
        return ""
    if "matchLabels" in selector or "matchExpressions" in selector:
        return str(label_selector.from_document(selector))
    return str(label_selector.from_labels(selector))


def _get_path(document: Document, path: str) -> Any:
    found: Any = document
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _set(document: Document, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for name in parents:
        document = document.setdefault(name, {})
    document[last] = value


SPECIAL = {("*", "scale"): handle}
