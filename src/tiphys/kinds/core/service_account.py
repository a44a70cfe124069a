"""ServiceAccount: an identity for processes in pods (upstream's `pkg/registry/core/serviceaccount`)."""

from __future__ import annotations

from tiphys.api.kind import Column, Context, Kind, Subresource
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, count

TOKEN = Subresource("token", verbs=("create",), kind=("authentication.k8s.io", "v1", "TokenRequest"))


def prepare_create(document: Document, context: Context) -> None:
    """Of a reference to a secret nothing but the name is kept (cleanSecretReferences)."""
    secrets = document.pop("secrets", None)
    if secrets:
        document["secrets"] = [{"name": secret["name"]} if secret.get("name") else {} for secret in secrets]


def prepare_update(new: Document, old: Document, context: Context) -> None:
    prepare_create(new, context)


KIND = Kind(
    kind="ServiceAccount",
    plural="serviceaccounts",
    short_names=("sa",),
    subresources=(TOKEN,),
    columns=(Column("Secrets", count("secrets")), AGE),
    has_generation=False,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    returns_object_on_delete=True,
)
