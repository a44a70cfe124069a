"""IPAddress: an address in use, and by which service (upstream's `printIPAddress`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, NONE, at


def _parent(document: Document, now: float) -> str:
    reference = at(document, "spec.parentRef")
    if not reference:
        return NONE
    resource = ".".join(filter(None, (reference.get("resource"), reference.get("group")))).lower()
    return "/".join(filter(None, (resource, reference.get("namespace"), reference.get("name") or "")))


def fields(document: Document) -> dict[str, str]:
    names = ("group", "resource", "namespace", "name")
    return {f"spec.parentRef.{name}": str(at(document, f"spec.parentRef.{name}") or "") for name in names}


KIND = Kind(
    group="networking.k8s.io",
    kind="IPAddress",
    plural="ipaddresses",
    namespaced=False,
    versions=("v1", "v1beta1", "v1alpha1"),
    short_names=("ip",),
    columns=(Column("ParentRef", _parent), AGE),
    has_generation=False,
    fields=fields,
)
