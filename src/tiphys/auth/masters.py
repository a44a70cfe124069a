"""system:masters may do everything (apiserver `authorizerfactory`, NewPrivilegedGroups): asked before all others."""

from __future__ import annotations

from tiphys.api.request_info import RequestInfo
from tiphys.auth.contract import Decision, UserRules
from tiphys.base.user import MASTERS, User

_ALLOWED = Decision(True)
_NO_OPINION = Decision(False)
_NONE = UserRules()


class Masters:
    """Decides by group alone, and has no rules to show."""

    async def decide(self, user: User, info: RequestInfo) -> Decision:
        return _ALLOWED if MASTERS in user.groups else _NO_OPINION

    async def rules(self, user: User, namespace: str) -> UserRules:
        return _NONE
