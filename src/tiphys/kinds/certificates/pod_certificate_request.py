"""PodCertificateRequest: a pod's wish for a certificate."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import CREATED_AT, at


def fields(document: Document) -> dict[str, str]:
    return {f"spec.{name}": str(at(document, f"spec.{name}") or "") for name in ("signerName", "podName", "nodeName")}


KIND = Kind(
    group="certificates.k8s.io",
    kind="PodCertificateRequest",
    plural="podcertificaterequests",
    versions=("v1", "v1beta1", "v1alpha1"),
    subresources=(STATUS,),
    columns=(CREATED_AT,),
    has_generation=False,
    fields=fields,
)
