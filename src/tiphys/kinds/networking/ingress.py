"""Ingress: routes from outside, by host and path, to services (upstream's `printIngress`)."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.core.service import load_balancer_address
from tiphys.kinds.shapes.columns import AGE, NONE, at, text
from tiphys.kinds.shapes.part import part

SHOWN = 3


def default(document: Document, context: Context) -> None:
    """Upstream always writes these."""
    part(document, "spec")
    part(part(document, "status"), "loadBalancer")


def prepare_create(document: Document, context: Context) -> None:
    document["status"] = {"loadBalancer": {}}


def _hosts(document: Document, now: float) -> str:
    """Of the first rules until three hosts are found, and how many more rules there are (formatHosts)."""
    rules = at(document, "spec.rules") or ()
    found: list[str] = []
    more = False
    for rule in rules:
        more = more or len(found) == SHOWN
        if not more and rule.get("host"):
            found.append(rule["host"])
    if not found:
        return "*"
    return ",".join(found) + (f" + {len(rules) - SHOWN} more..." if more else "")


def _ports(document: Document, now: float) -> str:
    return "80, 443" if at(document, "spec.tls") else "80"


KIND = Kind(
    group="networking.k8s.io",
    kind="Ingress",
    plural="ingresses",
    short_names=("ing",),
    subresources=(STATUS,),
    columns=(
        Column(
            "Class",
            text("spec.ingressClassName", NONE),
            description="The name of the IngressClass resource that should be used for additional configuration",
        ),
        Column(
            "Hosts", _hosts, description="Hosts that incoming requests are matched against before the ingress rule"
        ),
        Column(
            "Address",
            load_balancer_address("status.loadBalancer.ingress"),
            description="Address is a list containing ingress points for the load-balancer",
        ),
        Column("Ports", _ports, description="Ports of TLS configurations that open"),
        AGE,
    ),
    default=default,
    prepare_create=prepare_create,
)
