"""What is granted to whom by which binding (kubernetes `pkg/registry/rbac/validation/rule.go`)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.auth.rbac.known_policy import GROUP, Binding, KnownPolicy
from tiphys.auth.rbac.rule import Rule
from tiphys.base.field_error import quoted
from tiphys.base.user import User


@dataclass(frozen=True, slots=True)
class Grant:
    """A rule in force for someone, and the binding it comes by."""

    rule: Rule
    binding: Binding

    def described(self, user: User) -> str:
        """`RoleBinding "readers/erp" of Role "reader" to User "jane"`."""
        return self.binding.described(self.binding.subject_of(user))


def grants_of(policy: KnownPolicy, user: User, namespace: str) -> tuple[list[Grant], list[str]]:
    """The rules in force, and errors for roles that are not there: upstream's VisitRulesFor, to the end."""
    grants: list[Grant] = []
    errors: list[str] = []
    for binding in policy.bindings_of(user, namespace):
        rules = policy.role(binding.role_key)
        if rules is None:
            errors.append(_missing(binding))
            continue
        grants += [Grant(rule, binding) for rule in rules]
    return grants, errors


def _missing(binding: Binding) -> str:
    if binding.role_kind not in ("Role", "ClusterRole"):
        return f"unsupported role reference kind: {quoted(binding.role_kind)}"
    return f"{binding.role_kind.lower()}.{GROUP} {quoted(binding.role_name)} not found"
