"""The two places of the pipeline where requests are audited: around authentication for who fails it, after it for
everyone else (apiserver `endpoints/filters/audit.go`, `authn_audit.go`)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tiphys.base.http import Request, Response
from tiphys.base.status import StatusError
from tiphys.server.audit.audit import Auditor

if TYPE_CHECKING:
    from tiphys.server.pipeline import Call, Filter, Step


def failed_authentication(auditor: Auditor) -> Filter:
    """Those who show credentials that are none."""

    def around(rest: Step) -> Step:
        async def step(call: Call) -> Response:
            try:
                return await rest(call)
            except StatusError as error:
                if call.request.user is None:
                    audit = auditor.begin(call.request, call.info, None)
                    if audit is not None:
                        audit.authentication_failed(error, _attempted(call.request))
                raise

        return step

    return around


def audit(auditor: Auditor) -> Filter:
    """Everyone who is known, or known to be anonymous."""

    def around(rest: Step) -> Step:
        async def step(call: Call) -> Response:
            call.audit = found = auditor.begin(call.request, call.info, call.user)
            if found is None:
                return await rest(call)
            found.received()
            try:
                response = await rest(call)
            except StatusError as error:
                found.refused(error, call.user)
                raise
            except asyncio.CancelledError:
                found.closed(call.user)
                raise
            except Exception as error:
                found.panicked(error, call.user)
                raise
            found.answered(response, call.user)
            return response

        return step

    return around


def _attempted(request: Request) -> str:
    """What was tried (getAuthMethods)."""
    scheme, _, rest = request.headers.get("authorization", "").strip().partition(" ")
    methods: list[str] = [name for name in ("basic", "bearer") if rest and scheme.lower() == name]
    if request.certificate is not None:
        methods.append("x509")
    if not methods:
        return "Authentication failed, no credentials provided"
    return f"Authentication failed, attempted: {', '.join(methods)}"
