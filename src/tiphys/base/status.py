"""Errors as the API speaks them: metav1.Status, raised as StatusError.

Constructors follow apimachinery `pkg/api/errors`: same code, reason, message and details.
A *resource* is written `plural` or `plural.group`, as upstream's messages do.
"""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, within_bounds


class StatusError(Exception):
    """A refusal with an HTTP code and the metav1.Status that tells why."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Document | None = None,
        *,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.headers = tuple(headers)

    def document(self) -> Document:
        """The Status object as it is sent."""
        status: Document = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
        }
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        if not self.reason:
            del status["reason"]
        return status


def from_document(status: Document) -> StatusError:
    """The error a received Status stands for; the inverse of `StatusError.document`."""
    return StatusError(
        int(status.get("code") or 500),
        str(status.get("reason") or ""),
        str(status.get("message") or ""),
        status.get("details"),
    )


def qualified(group: str, plural: str) -> str:
    """`deployments.apps`, or `pods` in the core group (schema.GroupResource.String)."""
    return f"{plural}.{group}" if group else plural


def _details(resource: str, name: str = "", **more: object) -> Document:
    plural, _, group = resource.partition(".")
    details: Document = {}
    if name:
        details["name"] = name
    if group:
        details["group"] = group
    if plural:
        details["kind"] = plural
    details.update({key: value for key, value in more.items() if value})
    return details


def not_found(resource: str, name: str) -> StatusError:
    return StatusError(404, "NotFound", f'{resource} "{name}" not found', _details(resource, name))


def already_exists(resource: str, name: str) -> StatusError:
    return StatusError(409, "AlreadyExists", f'{resource} "{name}" already exists', _details(resource, name))


def conflict(resource: str, name: str, why: str) -> StatusError:
    message = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(resource, name))


MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
"""Upstream's words for a lost optimistic lock (registry.OptimisticLockErrorMsg)."""


def forbidden(resource: str, name: str, why: str) -> StatusError:
    if not resource:
        message = f"forbidden: {why}"
    elif not name:
        message = f"{resource} is forbidden: {why}"
    else:
        message = f'{resource} "{name}" is forbidden: {why}'
    return StatusError(403, "Forbidden", message, _details(resource, name))


def unauthorized(message: str = "Unauthorized") -> StatusError:
    return StatusError(401, "Unauthorized", message)


def bad_request(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)


def invalid(group: str, kind: str, name: str, errors: Sequence[FieldError]) -> StatusError:
    """422 with one cause a field error; `kind` is the Kind name, e.g. `Deployment`.

    Of more errors than anybody reads (a body of a million wrong items) the rest is only counted: ours.
    """
    qualified_kind = f"{kind}.{group}" if group else kind
    told, untold = within_bounds(errors)
    texts = [str(error) for error in told]
    if untold:
        texts.append(f"and {untold} more")
    joined = texts[0] if len(set(texts)) == 1 else "[" + ", ".join(dict.fromkeys(texts)) + "]"
    details: Document = {"name": name} if name else {}
    if group:
        details["group"] = group
    details["kind"] = kind
    details["causes"] = [error.cause() for error in told]
    return StatusError(422, "Invalid", f'{qualified_kind} "{name}" is invalid: {joined}', details)


def method_not_supported(resource: str, verb: str) -> StatusError:
    message = f'{verb} is not supported on resources of kind "{resource}"'
    return StatusError(405, "MethodNotAllowed", message, _details(resource))


def method_not_allowed() -> StatusError:
    """For a path known to no verb of this method, as the router of upstream answers it."""
    return StatusError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def path_not_found() -> StatusError:
    return StatusError(404, "NotFound", "the server could not find the requested resource")


def expired(message: str) -> StatusError:
    """410: the version asked for is compacted; the client must list anew."""
    return StatusError(410, "Expired", message)


def too_large_version(asked: int, current: int) -> StatusError:
    """504: a resource version from the future was asked for (storage.NewTooLargeResourceVersionError)."""
    details: Document = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
    details["retryAfterSeconds"] = 1
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return StatusError(504, "Timeout", message, details, headers=[("Retry-After", "1")])


def request_too_large(message: str) -> StatusError:
    return StatusError(413, "RequestEntityTooLarge", message)


def unsupported_media_type(message: str) -> StatusError:
    return StatusError(415, "UnsupportedMediaType", message)


def not_acceptable(message: str) -> StatusError:
    return StatusError(406, "NotAcceptable", message)


def too_many_requests(message: str, retry_after: int = 1) -> StatusError:
    details: Document = {"retryAfterSeconds": retry_after}
    return StatusError(429, "TooManyRequests", message, details, headers=[("Retry-After", str(retry_after))])


def timeout(message: str, retry_after: int = 0) -> StatusError:
    details: Document | None = {"retryAfterSeconds": retry_after} if retry_after else None
    return StatusError(504, "Timeout", message, details)


def service_unavailable(message: str) -> StatusError:
    return StatusError(503, "ServiceUnavailable", message)


def not_implemented(message: str) -> StatusError:
    """For what Tiphys does not support yet: refuse loudly."""
    return StatusError(501, "NotImplemented", message)


def internal_error(message: str) -> StatusError:
    details: Document = {"causes": [{"message": message}]}
    return StatusError(500, "InternalError", f"Internal error occurred: {message}", details)
