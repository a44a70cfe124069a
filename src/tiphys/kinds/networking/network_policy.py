"""NetworkPolicy: who may talk to a set of pods, and to whom they may talk."""

from __future__ import annotations

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, label_selector
from tiphys.kinds.shapes.part import part


def default(document: Document, context: Context) -> None:
    """Ports are TCP; a policy is for ingress, and egress if it has rules for it (SetDefaults_NetworkPolicy)."""
    spec = part(document, "spec")
    part(spec, "podSelector")
    for direction in ("ingress", "egress"):
        for rule in spec.get(direction) or ():
            for port in (rule or {}).get("ports") or ():
                port["protocol"] = port.get("protocol") or "TCP"
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]


KIND = Kind(
    group="networking.k8s.io",
    kind="NetworkPolicy",
    plural="networkpolicies",
    short_names=("netpol",),
    columns=(Column("Pod-Selector", label_selector("spec.podSelector")), AGE),
    default=default,
)
