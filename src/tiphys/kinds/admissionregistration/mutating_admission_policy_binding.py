"""MutatingAdmissionPolicyBinding: where and with which parameters a policy holds."""

from __future__ import annotations

from tiphys.api.kind import Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.admissionregistration.webhook import default_match, param_reference
from tiphys.kinds.shapes.columns import AGE, text
from tiphys.kinds.shapes.part import part


def default(document: Document, context: Context) -> None:
    default_match(part(document, "spec").get("matchResources"))


KIND = Kind(
    group="admissionregistration.k8s.io",
    kind="MutatingAdmissionPolicyBinding",
    plural="mutatingadmissionpolicybindings",
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
