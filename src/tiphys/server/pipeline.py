"""The way of a request, from the door to the verb: one list, read from the top.

A filter takes the rest of the way and returns the way with itself in front (apiserver `server/config.go`,
DefaultBuildHandlerChain). Without an audit policy there are no audit filters.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tiphys.api.discovery import Discovery
from tiphys.api.openapi_v2 import OpenApiV2
from tiphys.api.openapi_v3 import OpenApiV3
from tiphys.api.request_info import RequestInfo, read_request_info
from tiphys.auth.contract import ANONYMOUS, Authenticator, Authorizer
from tiphys.auth.impersonation import impersonated, without_headers
from tiphys.auth.refusal import forbidden_request
from tiphys.base.field_error import quoted
from tiphys.base.http import Handler, Request, Response
from tiphys.base.status import StatusError
from tiphys.base.user import User
from tiphys.server.audit.audit import Audit, Auditor
from tiphys.server.audit.filter import audit, failed_authentication
from tiphys.server.health import Checks, Health
from tiphys.server.index import Index
from tiphys.server.refusal import NO_SNIFF, page_not_found, plain_error, refusal
from tiphys.server.version import Version, version_info

log = logging.getLogger(__name__)

_DECISION, _REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
_PANIC = "This request caused apiserver to panic. Look in the logs for details."


class Api(Protocol):
    """The generic verbs over resources."""

    async def handle(self, request: Request, info: RequestInfo) -> Response: ...


class Documents(Protocol):
    """What is served at paths that are no resources."""

    def paths(self) -> list[str]:
        """The paths, as the index lists them."""
        ...

    async def respond(self, request: Request) -> Response | None:
        """None for a path that is not its own."""
        ...


@dataclass(slots=True)
class Call:
    """A request under way, and what the filters passed so far found out about it."""

    request: Request
    info: RequestInfo
    user: User
    audit: Audit | None = None
    """Where to tell why something was decided; None when the request is not audited."""


Step = Callable[[Call], Awaitable[Response]]
Filter = Callable[[Step], Step]


def build_pipeline(
    api: Api,
    discovery: Discovery,
    authenticator: Authenticator,
    authorizer: Authorizer,
    *,
    checks: Checks | None = None,
    more: Sequence[Documents] = (),
    auditor: Auditor | None = None,
) -> Handler:
    """The whole server as one function. `checks` are what readiness depends on, by name; `more` are further
    documents to serve; `auditor` writes the audit log, where there is one."""
    filters: tuple[Filter, ...] = (
        panic_recovery,
        request_info,
        refusals,
        *([failed_authentication(auditor)] if auditor else ()),
        authentication(authenticator),
        *([audit(auditor)] if auditor else ()),
        impersonation(authorizer),
        authorization(authorizer),
    )
    step = dispatch(api, documents(discovery, checks, more))
    for around in reversed(filters):
        step = around(step)

    async def handle(request: Request) -> Response:
        return await step(Call(request, _UNREAD, request.user or ANONYMOUS))

    return handle


_UNREAD = RequestInfo("", "")


def documents(discovery: Discovery, checks: Checks | None, more: Sequence[Documents] = ()) -> tuple[Documents, ...]:
    """Everything served that is no resource, the most asked for first."""
    catalog, health = discovery.catalog, Health(ready=checks)
    version = Version(version_info(catalog.definitions.minor, catalog.definitions.git_version))
    served: tuple[Documents, ...] = (health, discovery, version, OpenApiV3(catalog), OpenApiV2(catalog), *more)
    return *served, Index(lambda: [path for each in served for path in each.paths()])


def panic_recovery(rest: Step) -> Step:
    """A bug of ours is answered in upstream's words and told to the log, never to the client."""

    async def step(call: Call) -> Response:
        try:
            return await rest(call)
        except Exception:
            log.exception("%s %s failed", call.request.method, call.request.path)
            return plain_error(500, _PANIC)

    return step


def request_info(rest: Step) -> Step:
    """What is asked of which resource."""

    async def step(call: Call) -> Response:
        request = call.request
        try:
            call.info = read_request_info(request.method, request.path, request.query)
        except StatusError as error:
            return _unreadable(request, error)
        return await rest(call)

    return step


def _unreadable(request: Request, error: StatusError) -> Response:
    """A path that names no target (responsewriters.InternalError, as WithRequestInfo uses it)."""
    uri = f"{request.path}?{request.query}" if request.query else request.path
    why = error.message.removeprefix("Internal error occurred: ")
    text = f"Internal Server Error: {quoted(uri)}: failed to create RequestInfo: {why}"
    return plain_error(error.code, text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def refusals(rest: Step) -> Step:
    """A StatusError raised further on is the answer."""

    async def step(call: Call) -> Response:
        try:
            return await rest(call)
        except StatusError as error:
            return refusal(error)

    return step


def authentication(authenticator: Authenticator) -> Filter:
    """Who asks. Requests from within the process come with their user; those who do not say who they are may do what
    everyone may (upstream's `--anonymous-auth`). Bad credentials are refused here, with a StatusError 401."""

    def around(rest: Step) -> Step:
        async def step(call: Call) -> Response:
            request = call.request
            if request.user is None:
                request.user = call.user = await authenticator.authenticate(request) or ANONYMOUS
            return await rest(call)

        return step

    return around


def impersonation(authorizer: Authorizer) -> Filter:
    """As whom. From here on the request is theirs."""

    def around(rest: Step) -> Step:
        async def step(call: Call) -> Response:
            request = call.request
            try:
                user = await impersonated(authorizer, call.user, request.headers)
            except StatusError as error:
                return _sniffed(refusal(error))
            if user is not None:
                request.user = call.user = user
                request.headers = without_headers(request.headers)
            return await rest(call)

        return step

    return around


def _sniffed(response: Response) -> Response:
    response.headers.append(NO_SNIFF)
    return response


def authorization(authorizer: Authorizer) -> Filter:
    """Whether they may."""

    def around(rest: Step) -> Step:
        async def step(call: Call) -> Response:
            decision = await authorizer.decide(call.user, call.info)
            if call.audit is not None:
                call.audit.annotations[_DECISION] = "allow" if decision.allowed else "forbid"
                call.audit.annotations[_REASON] = decision.reason
            if decision.allowed:
                return await rest(call)
            return _sniffed(refusal(forbidden_request(call.user, call.info, decision.reason)))

        return step

    return around


def dispatch(api: Api, served: Sequence[Documents]) -> Step:
    """Resources to the verbs, other paths to whoever serves them."""

    async def step(call: Call) -> Response:
        if call.info.is_resource:
            return await api.handle(call.request, call.info)
        for documents_ in served:
            response = await documents_.respond(call.request)
            if response is not None:
                return response
        return page_not_found()

    return step
