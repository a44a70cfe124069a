"""Audit events: `audit.k8s.io/v1` Event, in the order of upstream's fields (`apis/audit/v1`, `audit/request.go`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote

from tiphys.api.request_info import RequestInfo
from tiphys.base.clock import rfc3339_micro
from tiphys.base.document import Document
from tiphys.base.http import Request
from tiphys.base.user import User
from tiphys.server.audit.content import Content, Reader
from tiphys.server.audit.policy import METADATA, REQUEST_RESPONSE

_LONGEST_AGENT = 1024
_PATH = "/:@!$&'()*+,;=~"
_STATUS_FIELDS = ("status", "message", "reason", "details")


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as the pipeline knows it; what costs time, as reading bodies, is left to the writer's thread."""

    event: Document
    annotations: Mapping[str, str]
    request: Content | None = None
    response: Content | None = None
    managed_fields: bool = True

    def document(self, reader: Reader) -> Document:
        """The event as it is written."""
        event = dict(self.event)
        asked = reader.read(self.request, managed_fields=self.managed_fields)
        if event["verb"] != "patch":
            _complete_reference(event, asked)
        answered = reader.read(self.response, managed_fields=self.managed_fields)
        if isinstance(answered, dict) and answered.get("kind") == "Status" and "responseStatus" in event:
            event["responseStatus"] = _status(answered, event["responseStatus"])
        times = {name: event.pop(name) for name in ("requestReceivedTimestamp", "stageTimestamp")}
        if asked is not None and event["level"] != METADATA:
            event["requestObject"] = asked
        if answered is not None and event["level"] == REQUEST_RESPONSE and "objectRef" in event:
            event["responseObject"] = answered
        event.update(times)
        if self.annotations:
            event["annotations"] = dict(sorted(self.annotations.items()))
        return event


def begin(request: Request, info: RequestInfo, user: User | None, level: str, audit_id: str, now: float) -> Document:
    """What all events of one request have in common, beginning with what comes first in them."""
    event: Document = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": level,
        "auditID": audit_id,
        "stage": "",
        "requestURI": quote(request.path, safe=_PATH) + (f"?{request.query}" if request.query else ""),
        "verb": info.verb,
        "user": user_info(user) if user else {},
    }
    sources = source_addresses(request)
    if sources:
        event["sourceIPs"] = sources
    agent = request.headers.get("user-agent", "")
    if agent:
        event["userAgent"] = agent if len(agent) <= _LONGEST_AGENT else f"{agent[:_LONGEST_AGENT]}...TRUNCATED"
    if info.is_resource:
        event["objectRef"] = _reference(info)
    event["requestReceivedTimestamp"] = rfc3339_micro(now)
    return event


def at_stage(event: Document, stage: str, now: float, status: Document | None, impersonated: User | None) -> Document:
    """A copy of the event for one stage; its timestamps come last."""
    made: Document = {}
    for name, value in event.items():
        if name == "requestReceivedTimestamp" and status is not None:
            made["responseStatus"] = status
        made[name] = value
        if name == "user" and impersonated is not None:
            made["impersonatedUser"] = user_info(impersonated)
    made["stage"] = stage
    made["stageTimestamp"] = rfc3339_micro(now)
    return made


def user_info(user: User) -> Document:
    found = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    return {key: value for key, value in found.items() if value}


def source_addresses(request: Request) -> list[str]:
    """Where the request comes from and by way of whom, the last being who connected (utilnet.SourceIPs)."""
    forwarded = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",")]
    found = [part for part in forwarded if _is_address(part)]
    real = request.headers.get("x-real-ip", "").strip()
    if _is_address(real) and real not in found:
        found.append(real)
    if request.peer and (not found or found[-1] != request.peer):
        found.append(request.peer)
    return found


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _reference(info: RequestInfo) -> Document:
    found = {
        "resource": info.resource,
        "namespace": info.namespace,
        "name": info.name,
        "apiGroup": info.group,
        "apiVersion": info.version,
        "subresource": info.subresource,
    }
    return {key: value for key, value in found.items() if value}


_REFERENCE = ("resource", "namespace", "name", "uid", "apiGroup", "apiVersion", "resourceVersion", "subresource")
_OF_METADATA = ("namespace", "name", "uid", "resourceVersion")


def _complete_reference(event: Document, asked: Any) -> None:
    """What the path leaves out is taken from the object sent (LogRequestObject)."""
    metadata = asked.get("metadata") if isinstance(asked, dict) else None
    if not isinstance(metadata, dict) or "objectRef" not in event:
        return
    known = {key: metadata[key] for key in _OF_METADATA if isinstance(metadata.get(key), str) and metadata[key]}
    merged = {**known, **event["objectRef"]}
    event["objectRef"] = {key: merged[key] for key in _REFERENCE if key in merged}


def _status(answered: Document, told: Document) -> Document:
    """The bounded fields of a Status (LogResponseObject); the code is the one that was sent."""
    kept = {key: answered[key] for key in _STATUS_FIELDS if answered.get(key)}
    return {"metadata": {}, **kept, "code": told["code"]}
