"""Auditing one request: which stages it goes through, and what is known of it at each (apiserver
`endpoints/filters/audit.go`)."""

from __future__ import annotations

from dataclasses import dataclass, field

from tiphys.api.request_info import RequestInfo
from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.base.http import Request, Response
from tiphys.base.names import Ids
from tiphys.base.status import StatusError
from tiphys.base.user import User
from tiphys.server.audit.content import Content
from tiphys.server.audit.event import Entry, at_stage, begin
from tiphys.server.audit.log import AuditLog
from tiphys.server.audit.policy import COMPLETE, PANIC, RECEIVED, REQUEST_RESPONSE, STARTED, Policy, Rule
from tiphys.server.audit.stream import ToldStream

_LONG_VERBS = ("watch", "proxy")
_LONG_SUBRESOURCES = ("attach", "exec", "proxy", "log", "portforward")
_EARLY: Document = {"metadata": {}, "status": "Success", "message": "Connection closed early", "code": 200}


@dataclass(frozen=True, slots=True)
class Auditor:
    """The policy and where events go."""

    policy: Policy
    log: AuditLog
    clock: Clock
    ids: Ids

    def begin(self, request: Request, info: RequestInfo, user: User | None) -> Audit | None:
        """The audit of a request; None when the policy wants none."""
        rule = self.policy.rule_for(user, info)
        if rule is None:
            return None
        request.audit_id = request.audit_id or request.headers.get("audit-id") or self.ids.uid()
        event = begin(request, info, user, rule.level, request.audit_id, self.clock.now())
        sent = Content(request.body, request.headers.get("content-type", "")) if info.is_resource else None
        return Audit(self, rule, event, user, sent, _is_long_running(info))


@dataclass(slots=True)
class Audit:
    """What is known of one request so far. `annotations` are for whoever decides something about it to fill in."""

    auditor: Auditor
    rule: Rule
    event: Document
    user: User | None
    sent: Content | None
    long_running: bool
    annotations: dict[str, str] = field(default_factory=dict)

    def received(self) -> None:
        self._put(RECEIVED, None, self.user, begun=False)

    def answered(self, response: Response, user: User) -> None:
        """The answer is ready. A stream's end is told when it comes."""
        status: Document = {"metadata": {}, "code": response.status}
        if self.long_running:
            self._put(STARTED, status, user)
        if isinstance(response.body, bytes):
            self._put(COMPLETE, status, user, self._kept(response))
        else:
            response.body = ToldStream(response.body, lambda: self._put(COMPLETE, status, user))

    def refused(self, error: StatusError, user: User) -> None:
        self._put(COMPLETE, _status_of(error), user)

    def authentication_failed(self, error: StatusError, attempted: str) -> None:
        """Nobody could be made out: one event, at the beginning of the answer (WithFailedAuthenticationAudit)."""
        self._put(STARTED, {**_status_of(error), "message": attempted}, None)

    def closed(self, user: User) -> None:
        """The client left before there was an answer."""
        if self.long_running:
            self._put(STARTED, _EARLY, user)
        self._put(COMPLETE, _EARLY, user)

    def panicked(self, error: Exception, user: User) -> None:
        why = f"APIServer panic'd: {type(error).__name__}"
        status = {"metadata": {}, "status": "Failure", "message": why, "reason": "InternalError", "code": 500}
        self._put(PANIC, status, user)

    def _kept(self, response: Response) -> Content | None:
        """The answer's body as far as the event will tell of it: a Status always, objects where the level says so."""
        body = response.body
        assert isinstance(body, bytes)
        if self.rule.level != REQUEST_RESPONSE and b"Status" not in body[:64]:
            return None
        return Content(body, response.content_type)

    def _put(
        self,
        stage: str,
        status: Document | None,
        user: User | None,
        answer: Content | None = None,
        *,
        begun: bool = True,
    ) -> None:
        """`user` is who the request is made as by now, `begun` whether its body counts already."""
        if stage in self.rule.omit_stages:
            return
        impersonated = user if user is not self.user else None
        event = at_stage(self.event, stage, self.auditor.clock.now(), status, impersonated)
        sent = self.sent if begun else None
        managed = not self.rule.omit_managed_fields
        self.auditor.log.put(Entry(event, dict(self.annotations), sent, answer, managed))


def _status_of(error: StatusError) -> Document:
    told = error.document()
    kept = {key: told[key] for key in ("status", "message", "reason", "details") if told.get(key)}
    return {"metadata": {}, **kept, "code": error.code}


def _is_long_running(info: RequestInfo) -> bool:
    """apiserver `server/filters/longrunning.go`, as kube-apiserver sets it."""
    return info.is_resource and (info.verb in _LONG_VERBS or info.subresource in _LONG_SUBRESOURCES)
