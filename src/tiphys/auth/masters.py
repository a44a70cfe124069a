"""The least there can be of authorization: system:masters may do everything, others may look at what is public.

What is public are upstream's two default roles for everyone: system:public-info-viewer and, for those with
credentials, system:discovery (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`).
"""

from __future__ import annotations

from tiphys.api.request_info import RequestInfo
from tiphys.auth.contract import UNAUTHENTICATED, Decision
from tiphys.base.user import AUTHENTICATED, MASTERS, User

PUBLIC_INFO_VIEWER = ("/healthz", "/livez", "/readyz", "/version", "/version/")
DISCOVERY = (
    "/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version",
    "/version/",
)  # fmt: skip
_GRANTS = ((AUTHENTICATED, DISCOVERY), (UNAUTHENTICATED, PUBLIC_INFO_VIEWER), (AUTHENTICATED, PUBLIC_INFO_VIEWER))
_ALLOWED = Decision(True)
_REFUSED = Decision(False)


class Masters:
    """Decides by group alone."""

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        if MASTERS in user.groups:
            return _ALLOWED
        if info.is_resource or info.verb != "get":
            return _REFUSED
        allowed = any(group in user.groups and path_matches(info.path, paths) for group, paths in _GRANTS)
        return _ALLOWED if allowed else _REFUSED


def path_matches(path: str, rules: tuple[str, ...]) -> bool:
    """Whether a rule names the path, or ends in `*` and begins it (rbac NonResourceURLMatches)."""
    return any(path == rule or (rule[-1:] == "*" and path.startswith(rule[:-1])) for rule in rules)
