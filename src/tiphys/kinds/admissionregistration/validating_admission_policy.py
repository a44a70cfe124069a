"""ValidatingAdmissionPolicy: expressions that refuse objects before they are stored."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.admissionregistration.webhook import default_match, param_kind
from tiphys.kinds.shapes.columns import AGE, count
from tiphys.kinds.shapes.part import part


def default(document: Document, context: Context) -> None:
    """SetDefaults_ValidatingAdmissionPolicySpec."""
    spec = part(document, "spec")
    spec["failurePolicy"] = spec.get("failurePolicy") or "Fail"
    default_match(spec.get("matchConstraints"))


KIND = Kind(
    group="admissionregistration.k8s.io",
    kind="ValidatingAdmissionPolicy",
    plural="validatingadmissionpolicies",
    namespaced=False,
    versions=("v1", "v1beta1", "v1alpha1"),
    subresources=(STATUS,),
    columns=(
        Column(
            "Validations",
            count("spec.validations"),
            type="integer",
            description="Validations indicates the number of validation rules defined in this configuration",
        ),
        Column(
            "ParamKind",
            param_kind,
            description="ParamKind specifies the kind of resources used to parameterize this policy",
        ),
        AGE,
    ),
    default=default,
    unconditional_update=False,
)
