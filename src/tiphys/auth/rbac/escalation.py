"""Nobody hands on more than they hold (kubernetes `pkg/registry/rbac`: `policybased`, `escalation_check.go`).

Checked when a role or a binding has been through mutating admission, before it is validated, as upstream's storage
does. It is no admission plugin: it cannot be switched off.
"""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.api.admission import Admission, Attributes
from tiphys.api.request_info import RequestInfo
from tiphys.auth.contract import Authorizer, UserRules
from tiphys.auth.rbac.authorizer import RBAC
from tiphys.auth.rbac.coverage import compacted, described, missing, quoted_list
from tiphys.auth.rbac.known_policy import GROUP
from tiphys.base.document import Document
from tiphys.base.field_error import quoted
from tiphys.base.status import StatusError, forbidden, not_found, qualified
from tiphys.base.user import MASTERS

_ROLES = ("roles", "clusterroles")
_BINDINGS = ("rolebindings", "clusterrolebindings")
_GC_FIELDS = ("ownerReferences", "finalizers", "managedFields")


class EscalationCheck:
    """Admission with this check between its phases. `authorizer` is the whole one: any of it may say `escalate`."""

    def __init__(self, admission: Admission, authorizer: Authorizer, rbac: RBAC) -> None:
        self._admission = admission
        self._authorizer = authorizer
        self._rbac = rbac

    async def admit(self, attributes: Attributes) -> None:
        """Raises StatusError 403, and 404 for a binding of a role that is not there."""
        await self._admission.admit(attributes)
        if attributes.group == GROUP and attributes.object is not None and not attributes.subresource:
            await self._check(attributes, attributes.object)

    async def validate(self, attributes: Attributes) -> None:
        await self._admission.validate(attributes)

    async def _check(self, attributes: Attributes, new: Document) -> None:
        if MASTERS in attributes.user.groups or _changes_little(new, attributes.old):
            return
        if attributes.resource in _ROLES:
            await self._check_role(attributes, new)
        elif attributes.resource in _BINDINGS:
            await self._check_binding(attributes, new)

    async def _check_role(self, attributes: Attributes, role: Document) -> None:
        """One that is made of others may come to hold anything, so only who holds all may write it."""
        name = "" if attributes.operation == "CREATE" else attributes.name
        if await self._may(attributes, "escalate", attributes.resource, name):
            return
        held = await self._rbac.rules(attributes.user, attributes.namespace)
        _confirm(attributes, held, role.get("rules") or ())
        aggregated = _is_aggregated(role) or (attributes.old is not None and _is_aggregated(attributes.old))
        if aggregated and missing(held.rules, _FULL_AUTHORITY):
            raise _refused(attributes, "must have cluster-admin privileges to use the aggregationRule")

    async def _check_binding(self, attributes: Attributes, binding: Document) -> None:
        role = binding.get("roleRef") or {}
        kind, name = role.get("kind") or "", role.get("name") or ""
        plural = {"Role": "roles", "ClusterRole": "clusterroles"}.get(kind)
        if plural is None or role.get("apiGroup") != GROUP:
            return  # validation has the words for it
        if await self._may(attributes, "bind", plural, name):
            return
        rules = await self._rbac.rules_of_role(kind, name, attributes.namespace)
        if rules is None:
            raise not_found(qualified(GROUP, plural), name)
        _confirm(attributes, await self._rbac.rules(attributes.user, attributes.namespace), rules)

    async def _may(self, attributes: Attributes, verb: str, plural: str, name: str) -> bool:
        info = RequestInfo("", verb, True, GROUP, "*", plural, attributes.namespace, name)
        return (await self._authorizer.decide(attributes.user, info)).allowed


_FULL_AUTHORITY: tuple[Document, ...] = (
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
)


def _confirm(attributes: Attributes, held: UserRules, rules: Iterable[Document]) -> None:
    """ConfirmNoEscalation. Raises StatusError 403 naming what the user does not hold."""
    lacking = missing(held.rules, rules)
    if not lacking:
        return
    user = attributes.user
    texts = sorted({described(rule) for rule in compacted(lacking)})
    who = f"user {quoted(user.name)} (groups={quoted_list(user.groups)})"
    why = f"{who} is attempting to grant RBAC permissions not currently held:\n" + "\n".join(texts)
    raise _refused(attributes, f"{why}; resolution errors: [{' '.join(held.errors)}]" if held.errors else why)


def _refused(attributes: Attributes, why: str) -> StatusError:
    name = (attributes.object or {}).get("metadata", {}).get("name") or ""
    return forbidden(qualified(GROUP, attributes.resource), name, why)


def _is_aggregated(role: Document) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def _changes_little(new: Document, old: Document | None) -> bool:
    """Whether only what the garbage collector needs to change is changed (IsOnlyMutatingGCFields)."""
    if old is None:
        return False
    return _without_gc_fields(new) == _without_gc_fields(old)


def _without_gc_fields(document: Document) -> Document:
    metadata = {key: value for key, value in document["metadata"].items() if key not in _GC_FIELDS}
    return {**document, "metadata": metadata}
