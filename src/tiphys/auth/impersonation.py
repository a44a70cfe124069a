"""Acting as someone else, by headers (apiserver `endpoints/filters/impersonation/impersonation.go`).

Each thing the asker wants to be (a user, a group, a uid, each value of each extra) is authorized on its own before
anything is changed. A header sent more than once comes with its values on lines of their own (`server/app.py`): a
line break is the one thing that cannot be in a value, so no group's name can hold two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from tiphys.api.request_info import RequestInfo
from tiphys.auth.contract import ANONYMOUS, UNAUTHENTICATED, Authorizer
from tiphys.auth.refusal import forbidden_request
from tiphys.base.name_rules import dns1123_label, dns1123_subdomain
from tiphys.base.status import bad_request
from tiphys.base.user import AUTHENTICATED, User, service_account_user

PREFIX = "impersonate-"
_USER, _GROUP, _UID, _EXTRA = (PREFIX + name for name in ("user", "group", "uid", "extra-"))
_AUTHENTICATION = "authentication.k8s.io"
_MALFORMED = re.compile("%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class _Wish:
    """One thing to be; `key` names an extra."""

    resource: str
    name: str
    namespace: str = ""
    key: str = ""

    @property
    def info(self) -> RequestInfo:
        group, version = (_AUTHENTICATION, "v1") if self.resource in ("userextras", "uids") else ("", "v1")
        return RequestInfo(
            "", "impersonate", True, group, version, self.resource, self.namespace, self.name, self.key
        )

    def __str__(self) -> str:
        """As Go prints an ObjectReference."""
        kind = {"groups": "Group", "userextras": "UserExtra", "uids": "UID"}[self.resource]
        version = f"{_AUTHENTICATION}/v1" if kind != "Group" else ""
        return f"{{{kind}  {self.name}  {version}  {self.key}}}"


async def impersonated(authorizer: Authorizer, asker: User, headers: Mapping[str, str]) -> User | None:
    """Whom the asker acts as, None where no header says so. Raises StatusError 403 naming what they may not be, and
    400 for headers without a user."""
    if not any(name.startswith(PREFIX) for name in headers):
        return None
    wishes = list(_wishes(headers))
    if not wishes:
        return None
    if wishes[0].resource not in ("users", "serviceaccounts"):
        listed = " ".join(map(str, wishes))
        raise bad_request(f"requested [{listed}] without impersonating a user")
    for wish in wishes:
        decision = await authorizer.decide(asker, wish.info)
        if not decision.allowed:
            raise forbidden_request(asker, wish.info, decision.reason)
    return _become(wishes)


def without_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are left when the impersonation is done."""
    return {name: value for name, value in headers.items() if not name.startswith(PREFIX)}


def _wishes(headers: Mapping[str, str]) -> Iterator[_Wish]:
    """Sorted as upstream asks for them: who, groups, extras, uid."""
    name = _values(headers, _USER)[0]
    if name:
        account = _service_account(name)
        yield _Wish("serviceaccounts", account[1], account[0]) if account else _Wish("users", name)
    if _GROUP in headers:
        for group in _values(headers, _GROUP):
            yield _Wish("groups", group)
    for header in sorted(headers):
        if header.startswith(_EXTRA):
            for value in _values(headers, header):
                yield _Wish("userextras", value, key=_extra_key(header))
    uid = _values(headers, _UID)[0]
    if uid:
        yield _Wish("uids", uid)


def _become(wishes: list[_Wish]) -> User:
    """A service account's groups are known; everyone else is in system:authenticated besides what was asked for."""
    who, groups = wishes[0], [wish.name for wish in wishes if wish.resource == "groups"]
    name = who.name
    if who.resource == "serviceaccounts":
        account = service_account_user(who.namespace, who.name)
        name, groups = account.name, groups or [group for group in account.groups if group != AUTHENTICATED]
    if name == ANONYMOUS.name:
        groups += [UNAUTHENTICATED] if UNAUTHENTICATED not in groups else []
    elif AUTHENTICATED not in groups and UNAUTHENTICATED not in groups:
        groups.append(AUTHENTICATED)
    extra: dict[str, tuple[str, ...]] = {}
    for wish in wishes:
        if wish.resource == "userextras":
            extra[wish.key] = (*extra.get(wish.key, ()), wish.name)
    uid = next((wish.name for wish in wishes if wish.resource == "uids"), "")
    return User(name, tuple(groups), uid, extra)


def _values(headers: Mapping[str, str], name: str) -> list[str]:
    """Each value, as the UTF-8 it is sent in; at least one, empty where there is none."""
    return [_text(value) for value in headers.get(name, "").split("\n")]


def _text(value: str) -> str:
    """Header values come byte for byte, as Latin-1; what is no UTF-8 stays that."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def _extra_key(header: str) -> str:
    """Decoded from percent-encoding if it is well-formed (unescapeExtraKey)."""
    key = header.removeprefix(_EXTRA)
    return key if _MALFORMED.search(key) else unquote(key)


def _service_account(name: str) -> tuple[str, str] | None:
    """Namespace and name, for a well-formed service account's user name (serviceaccount.SplitUsername)."""
    if not name.startswith("system:serviceaccount:"):
        return None
    parts = name.removeprefix("system:serviceaccount:").split(":")
    if len(parts) != 2 or dns1123_label(parts[0]) or dns1123_subdomain(parts[1]):
        return None
    return parts[0], parts[1]
