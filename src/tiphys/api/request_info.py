"""What a request asks of which resource, read off its path once (apiserver `endpoints/request`)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs

from tiphys.base import field_selector
from tiphys.base.name_rules import path_segment
from tiphys.base.status import StatusError, internal_error

_VERBS = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_NAMESPACE_SUBRESOURCES = {"status", "finalize"}
_PATH_VERBS = {"proxy", "watch"}
_NONE, _FALSE = [""], ["false"]


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """Everything later stages need to know of a request's target. `verb` is Kubernetes' (list, watch, create …)."""

    path: str
    verb: str
    is_resource: bool = False
    group: str = ""
    version: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: tuple[str, ...] = ()
    """What follows the subresource in the path, for proxies."""
    field_selector: str = ""
    """Of a list, watch or deletecollection, as sent; the old paths below /watch have none."""


def read_request_info(method: str, path: str, query: str) -> RequestInfo:
    """The RequestInfo of a request; `path` percent-decoded, `query` raw. Raises StatusError 500 as upstream
    does for a special verb without a resource."""
    trimmed = path.strip("/")
    parts = trimmed.split("/") if trimmed else []
    if len(parts) < 3 or parts[0] not in ("api", "apis"):
        return RequestInfo(path, method.lower())
    if parts[0] == "apis":
        if len(parts) < 4:
            return RequestInfo(path, method.lower())
        group, version, parts = parts[1], parts[2], parts[3:]
    else:
        group, version, parts = "", parts[1], parts[2:]
    verb = _VERBS.get(method, "")
    by_path = parts[0] in _PATH_VERBS
    if by_path:
        if len(parts) < 2:
            raise _no_target(path)
        verb, parts = parts[0], parts[1:]
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 1:
        namespace = parts[1]
        if len(parts) > 2 and parts[2] not in _NAMESPACE_SUBRESOURCES:
            parts = parts[2:]
    name, subresource = parts[1] if len(parts) > 1 else "", ""
    rest: tuple[str, ...] = ()
    if len(parts) > 2 and verb not in _PATH_VERBS:
        subresource, rest = parts[2], tuple(parts[3:])
    selector = ""
    if not name:
        verb, name, selector = _without_name(verb, query)
    return RequestInfo(path, verb, True, group, version, parts[0], namespace, name, subresource, rest, selector)


def _without_name(verb: str, query: str) -> tuple[str, str, str]:
    """The verb, name and field selector of a request to a collection."""
    if verb not in ("get", "delete"):
        return verb, "", ""
    options = parse_qs(query, keep_blank_values=True) if query else {}
    selector = options.get("fieldSelector", _NONE)[0]
    if verb == "delete":
        return "deletecollection", "", selector
    watching = options.get("watch", _FALSE)[0].lower() not in ("false", "0")
    return "watch" if watching else "list", _selected_name(selector), selector


def _selected_name(selector: str) -> str:
    """The name a `metadata.name=` selector pins down, so that authorization by resourceNames works for lists. Read as
    the list itself reads it: what is authorized must be what is selected."""
    if "metadata.name" not in selector:
        return ""
    try:
        name = field_selector.parse(selector).exact("metadata.name") or ""
    except ValueError:
        return ""
    return "" if path_segment(name) else name


def _no_target(path: str) -> StatusError:
    return internal_error(f"unable to determine kind and namespace from url, {path}")
