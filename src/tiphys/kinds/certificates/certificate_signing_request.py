"""CertificateSigningRequest: a wish for a certificate, and what became of it.

From upstream's `pkg/registry/certificates` and `printCertificateSigningRequest`.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api.kind import STATUS, Column, Context, Kind, Subresource
from tiphys.base.document import Document
from tiphys.base.duration import human_duration
from tiphys.base.field_error import FieldError, invalid_value, required
from tiphys.kinds.shapes.columns import AGE, NONE, at, text
from tiphys.kinds.shapes.part import part

SHORTEST = 600
"""Seconds that a certificate may at least be asked for."""


def default(document: Document, context: Context) -> None:
    part(document, "spec")
    part(document, "status")


def prepare_create(document: Document, context: Context) -> None:
    """The requester is who asks, whatever the body says, and nothing is approved yet."""
    user = context.user
    spec = {**(document.get("spec") or {}), "username": user.name, "uid": user.uid, "groups": list(user.groups)}
    spec["extra"] = {key: list(values) for key, values in user.extra.items()}
    document["spec"] = {key: value for key, value in spec.items() if value or key not in _REQUESTER}
    document["status"] = {}


_REQUESTER = ("username", "uid", "groups", "extra")


def prepare_update(new: Document, old: Document, context: Context) -> None:
    """Only metadata may change, except by the subresources."""
    new["spec"] = old.get("spec") or {}


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    """Without upstream's checks of the request itself, which signers' controllers make."""
    spec = document.get("spec") or {}
    errors = [required(f"spec.{field}") for field in ("request", "usages", "signerName") if not spec.get(field)]
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < SHORTEST:
        detail = f"may not specify a duration less than {SHORTEST} seconds (10 minutes)"
        errors.append(invalid_value("spec.expirationSeconds", seconds, detail))
    return errors


def fields(document: Document) -> dict[str, str]:
    return {"spec.signerName": (document.get("spec") or {}).get("signerName") or ""}


def _requested(document: Document, now: float) -> str:
    seconds = at(document, "spec.expirationSeconds")
    return NONE if seconds is None else human_duration(seconds)


def _condition(document: Document, now: float) -> str:
    """Denied before approved, then what came of it (extractCSRStatus)."""
    types = {condition.get("type") for condition in at(document, "status.conditions") or ()}
    words = ["Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"]
    if "Failed" in types:
        words.append("Failed")
    if at(document, "status.certificate"):
        words.append("Issued")
    return ",".join(words)


KIND = Kind(
    group="certificates.k8s.io",
    kind="CertificateSigningRequest",
    plural="certificatesigningrequests",
    namespaced=False,
    short_names=("csr",),
    subresources=(STATUS, Subresource("approval")),
    columns=(
        AGE,
        Column("SignerName", text("spec.signerName", NONE)),
        Column("Requestor", text("spec.username")),
        Column("RequestedDuration", _requested),
        Column("Condition", _condition),
    ),
    has_generation=False,
    default=default,
    prepare_create=prepare_create,
    prepare_update=prepare_update,
    validate=validate,
    fields=fields,
)
