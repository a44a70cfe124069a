"""What a CertificateSigningRequest may say (k/k `pkg/apis/certificates/validation/validation.go`).

Without upstream's tolerance of what v1beta1 let in: no version served here has it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Collection, Sequence

from cryptography import x509

from tiphys.api.kind import Context
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, duplicate, forbidden_field, invalid_value, required, unsupported
from tiphys.kinds.certificates.signer_name import signer_name_errors
from tiphys.pki.pem import blocks
from tiphys.pki.signing_policy import check_signature, parse_request
from tiphys.pki.usage import ALL_USAGES

APPROVAL = ("Approved", "Denied")
_ONLY_TRUE = (*APPROVAL, "Failed")
_STATUSES = ("False", "True", "Unknown")
_LEGACY = "kubernetes.io/legacy-unknown"
SHORTEST = 600
"""Seconds that a certificate may at least be asked for."""


def validate(document: Document, context: Context) -> Sequence[FieldError]:
    return _spec_errors(document.get("spec") or {}, legacy=False) + _status_errors(document, both_allowed=False)


def validate_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    """A write to the object itself changes neither conditions nor certificate."""
    return _update_errors(new, old) + _approval_kept(new, old) + _certificate_kept(new, old, may_set=False)


def validate_status_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return _update_errors(new, old) + _approval_kept(new, old) + _certificate_kept(new, old, may_set=True)


def validate_approval_update(new: Document, old: Document, context: Context) -> Sequence[FieldError]:
    return _update_errors(new, old) + _certificate_kept(new, old, may_set=False)


def conditions_of(document: Document) -> list[Document]:
    """Of its status, which hooks may find unset."""
    found: list[Document] = (document.get("status") or {}).get("conditions") or []
    return found


def _spec_errors(spec: Document, *, legacy: bool) -> list[FieldError]:
    errors = _request_errors(spec.get("request") or "")
    usages = spec.get("usages") or []
    if not usages:
        errors.append(required("spec.usages", "usages must be provided"))
    for index, usage in enumerate(usages):
        if usage not in ALL_USAGES:
            errors.append(unsupported(f"spec.usages[{index}]", usage, sorted(ALL_USAGES)))
    for index, usage in enumerate(usages):
        if usage in usages[:index]:
            errors.append(duplicate(f"spec.usages[{index}]", usage))
    name = spec.get("signerName") or ""
    if name == _LEGACY and not legacy:
        why = "the legacy signerName is not allowed via this API version"
        errors.append(invalid_value("spec.signerName", name, why))
    else:
        errors += signer_name_errors("spec.signerName", name)
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < SHORTEST:
        why = f"may not specify a duration less than {SHORTEST} seconds (10 minutes)"
        errors.append(invalid_value("spec.expirationSeconds", seconds, why))
    return errors


def _request_errors(encoded: str) -> list[FieldError]:
    try:
        check_signature(parse_request(base64.b64decode(encoded)))
    except (ValueError, binascii.Error) as error:
        return [invalid_value("spec.request", encoded, str(error))]
    return []


def _status_errors(document: Document, *, both_allowed: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: list[str] = []
    for index, condition in enumerate(conditions_of(document)):
        errors += _condition_errors(f"status.conditions[{index}]", condition, seen, both_allowed)
        seen.append(condition.get("type") or "")
    why = _certificate_problem((document.get("status") or {}).get("certificate") or "")
    return [*errors, invalid_value("status.certificate", "<certificate data>", why)] if why else errors


def _condition_errors(path: str, condition: Document, seen: Collection[str], both_allowed: bool) -> list[FieldError]:
    kind, status = condition.get("type") or "", condition.get("status") or ""
    errors = [] if kind else [required(f"{path}.type")]
    allowed = ("True",) if kind in _ONLY_TRUE else _STATUSES
    if not status:
        errors.append(required(f"{path}.status"))
    elif status not in allowed:
        errors.append(unsupported(f"{path}.status", status, allowed))
    other = {"Approved": "Denied", "Denied": "Approved"}.get(kind)
    if other in seen and not both_allowed:
        errors.append(invalid_value(f"{path}.type", kind, "Approved and Denied conditions are mutually exclusive"))
    if kind in seen:
        errors.append(duplicate(f"{path}.type", kind))
    return errors


def _certificate_problem(encoded: str) -> str:
    """What is wrong with a certificate in base64; empty for none, or none at all."""
    if not encoded:
        return ""
    found = blocks(base64.b64decode(encoded))
    for block in found:
        if block.kind != "CERTIFICATE":
            return f'only CERTIFICATE PEM blocks are allowed, found "{block.kind}"'
        if block.headers:
            return "no PEM block headers are permitted"
        try:
            x509.load_der_x509_certificate(block.der)
        except ValueError as error:
            return f"x509: malformed certificate: {error}"
    return "" if found else "must contain at least one CERTIFICATE PEM block"


def _update_errors(new: Document, old: Document) -> list[FieldError]:
    """What any update is looked at for; what is wrong already may stay so."""
    before = [condition.get("type") for condition in conditions_of(old)]
    both = all(kind in before for kind in APPROVAL)
    legacy = (old.get("spec") or {}).get("signerName") == _LEGACY
    errors = _spec_errors(new.get("spec") or {}, legacy=legacy) + _status_errors(new, both_allowed=both)
    for kind in _ONLY_TRUE:
        if len(_of_type(new, kind)) < len(_of_type(old, kind)):
            errors.append(
                forbidden_field("status.conditions", f'updates may not remove a condition of type "{kind}"')
            )
    return errors


def _approval_kept(new: Document, old: Document) -> list[FieldError]:
    """Only /approval may approve or deny. What it may not modify, `prepare_status` has put back already."""
    return [
        forbidden_field("status.conditions", f'updates may not add a condition of type "{kind}"')
        for kind in APPROVAL
        if len(_of_type(new, kind)) > len(_of_type(old, kind))
    ]


def _certificate_kept(new: Document, old: Document, *, may_set: bool) -> list[FieldError]:
    before = (old.get("status") or {}).get("certificate") or ""
    if ((new.get("status") or {}).get("certificate") or "") == before:
        return []
    if not may_set:
        return [forbidden_field("status.certificate", "updates may not set certificate content")]
    if before:
        return [forbidden_field("status.certificate", "updates may not modify existing certificate content")]
    return []


def _of_type(document: Document, kind: str) -> list[Document]:
    return [each for each in conditions_of(document) if each.get("type") == kind]
