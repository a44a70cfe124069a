"""CertificateSigningRequest: a wish for a certificate, and what became of it.

Who may write what: the requester the spec, once; the approver the conditions Approved and Denied, at /approval; the
signer the certificate and the other conditions, at /status. From upstream's `pkg/registry/certificates` and
`printCertificateSigningRequest`.
"""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Context, Kind, Subresource
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.duration import human_duration
from tiphys.kinds.certificates import certificate_validation as validation
from tiphys.kinds.shapes.columns import AGE, NONE, at, text
from tiphys.kinds.shapes.part import part

_REQUESTER = ("username", "uid", "groups", "extra")


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


def prepare_update(new: Document, old: Document, context: Context) -> None:
    """Only metadata may change, except by the subresources."""
    new["spec"] = old.get("spec") or {}


def prepare_status(new: Document, old: Document, context: Context) -> None:
    """The approver's conditions stay as they are, as far as the write has as many of them."""
    conditions = validation.conditions_of(new)
    for kind in validation.APPROVAL:
        before = [each for each in validation.conditions_of(old) if each.get("type") == kind]
        places = [index for index, each in enumerate(conditions) if each.get("type") == kind]
        if len(before) == len(places):
            for index, condition in zip(places, before, strict=True):
                conditions[index] = condition
    _set_times(conditions, old, context)


def prepare_approval(new: Document, old: Document, context: Context) -> None:
    """Of everything but metadata, only the conditions are written."""
    conditions = validation.conditions_of(new)
    _set_times(conditions, old, context)
    status = {key: value for key, value in (old.get("status") or {}).items() if key != "conditions"}
    new["status"] = {**status, "conditions": conditions} if conditions else status
    new["spec"] = old.get("spec") or {}


def _set_times(conditions: list[Document], old: Document, context: Context) -> None:
    """populateConditionTimestamps."""
    now = rfc3339(context.clock.now())
    for condition in conditions:
        condition["lastUpdateTime"] = condition.get("lastUpdateTime") or now
        if not condition.get("lastTransitionTime"):
            since = (
                each.get("lastTransitionTime")
                for each in validation.conditions_of(old)
                if each.get("type") == condition.get("type") and each.get("status") == condition.get("status")
            )
            condition["lastTransitionTime"] = next(filter(None, since), now)


def any_name(name: str, prefix: bool) -> tuple[str, ...]:
    """Upstream does not mind what requests are called."""
    return ()


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
    subresources=(
        STATUS,
        Subresource("approval", prepare=prepare_approval, validate=validation.validate_approval_update),
    ),
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
    prepare_status=prepare_status,
    validate=validation.validate,
    validate_update=validation.validate_update,
    validate_status=validation.validate_status_update,
    name_errors=any_name,
    fields=fields,
)
