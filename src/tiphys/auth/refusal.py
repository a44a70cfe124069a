"""How a refusal to do something is worded (apiserver `responsewriters/errors.go`)."""

from __future__ import annotations

from tiphys.api.request_info import RequestInfo
from tiphys.base.field_error import quoted
from tiphys.base.status import StatusError, forbidden, qualified
from tiphys.base.user import User


def forbidden_request(user: User, info: RequestInfo, reason: str = "") -> StatusError:
    """403 that says who cannot do what where, and why if there is a reason."""
    message = _message(user, info).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    resource = qualified(info.group, info.resource)
    return forbidden(resource, info.name, f"{message}: {reason}" if reason else message)


def _message(user: User, info: RequestInfo) -> str:
    who = f"User {quoted(user.name)} cannot {info.verb}"
    if not info.is_resource:
        return f"{who} path {quoted(info.path)}"
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    what = f"{who} resource {quoted(resource)} in API group {quoted(info.group)}"
    return f"{what} in the namespace {quoted(info.namespace)}" if info.namespace else f"{what} at the cluster scope"
