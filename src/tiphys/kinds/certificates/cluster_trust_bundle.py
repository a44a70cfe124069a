"""ClusterTrustBundle: roots of trust for pods (upstream's `printClusterTrustBundle`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import at, text


def fields(document: Document) -> dict[str, str]:
    return {"spec.signerName": str(at(document, "spec.signerName") or "")}


KIND = Kind(
    group="certificates.k8s.io",
    kind="ClusterTrustBundle",
    plural="clustertrustbundles",
    namespaced=False,
    versions=("v1", "v1beta1", "v1alpha1"),
    columns=(Column("SignerName", text("spec.signerName")),),
    has_generation=False,
    fields=fields,
)
