"""CustomResourceDefinition: a kind that users bring."""

from __future__ import annotations

from tiphys.api.kind import STATUS, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import CREATED_AT
from tiphys.kinds.shapes.part import part


def default(document: Document, context: Context) -> None:
    """Names that follow from others, and no conversion (SetDefaults_CustomResourceDefinitionSpec)."""
    spec = part(document, "spec")
    names = part(spec, "names")
    kind = names.get("kind") or ""
    names["singular"] = names.get("singular") or kind.lower()
    names["listKind"] = names.get("listKind") or (f"{kind}List" if kind else "")
    if not spec.get("conversion"):
        spec["conversion"] = {"strategy": "None"}


def prepare_create(document: Document, context: Context) -> None:
    """What it will be stored in is known; the rest of the status is a controller's."""
    versions = (document.get("spec") or {}).get("versions") or ()
    stored = [version.get("name") or "" for version in versions if version.get("storage")]
    document["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": stored}


KIND = Kind(
    group="apiextensions.k8s.io",
    kind="CustomResourceDefinition",
    plural="customresourcedefinitions",
    namespaced=False,
    short_names=("crd", "crds"),
    categories=("api-extensions",),
    subresources=(STATUS,),
    columns=(CREATED_AT,),
    default=default,
    prepare_create=prepare_create,
    unconditional_update=False,
)
