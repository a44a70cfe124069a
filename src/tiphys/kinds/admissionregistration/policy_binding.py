"""What the two kinds of policy binding have in common: everything but their names."""

from __future__ import annotations

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.admissionregistration.webhook import default_match, param_reference
from tiphys.kinds.shapes.columns import AGE, text
from tiphys.kinds.shapes.part import part


def default(document: Document, context: Context) -> None:
    default_match(part(document, "spec").get("matchResources"))


def policy_binding(kind: str, plural: str) -> Kind:
    """Where and with which parameters a policy of one kind holds."""
    return Kind(
        group="admissionregistration.k8s.io",
        kind=kind,
        plural=plural,
        namespaced=False,
        versions=("v1", "v1beta1", "v1alpha1"),
        columns=(
            Column(
                "PolicyName",
                text("spec.policyName"),
                description="PolicyName indicates the policy definition which the policy binding binded to",
            ),
            Column(
                "ParamRef",
                param_reference,
                description="ParamRef indicates the param resource which sets the configration param",
            ),
            AGE,
        ),
        default=default,
        unconditional_update=False,
    )
