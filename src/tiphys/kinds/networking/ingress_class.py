"""IngressClass: which controller serves an ingress (upstream's `printIngressClass`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, NONE, at, text
from tiphys.kinds.shapes.part import part


def default(document: Document, context: Context) -> None:
    """Parameters are of the whole cluster unless they say otherwise (SetDefaults_IngressClass)."""
    parameters = part(document, "spec").get("parameters")
    if parameters:
        parameters["scope"] = parameters.get("scope") or "Cluster"


def _parameters(document: Document, now: float) -> str:
    found = at(document, "spec.parameters")
    if not found:
        return NONE
    group = found.get("apiGroup")
    return f"{found.get('kind') or ''}{'.' + group if group is not None else ''}/{found.get('name') or ''}"


KIND = Kind(
    group="networking.k8s.io",
    kind="IngressClass",
    plural="ingressclasses",
    namespaced=False,
    columns=(
        Column(
            "Controller",
            text("spec.controller"),
            description="Controller that is responsible for handling this class",
        ),
        Column("Parameters", _parameters, description="A reference to a resource with additional parameters"),
        AGE,
    ),
    default=default,
)
