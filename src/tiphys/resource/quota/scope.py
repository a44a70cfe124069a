"""Scopes: which of a namespace's objects a quota is about (apiserver `pkg/quota/v1/generic`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document
from tiphys.base.label_selector import DOES_NOT_EXIST, EXISTS, IN, NOT_IN, Requirement
from tiphys.resource.quota.evaluator import Evaluator

_OPERATORS = {"In": IN, "NotIn": NOT_IN, "Exists": EXISTS, "DoesNotExist": DOES_NOT_EXIST}


def requirements(quota: Document) -> list[Document]:
    """The scopes of a quota in both spellings as ScopedResourceSelectorRequirements; all must hold."""
    spec = quota.get("spec") or {}
    plain: list[Document] = [{"scopeName": name, "operator": "Exists"} for name in spec.get("scopes") or ()]
    return plain + list((spec.get("scopeSelector") or {}).get("matchExpressions") or ())


def covers(quota: Document, evaluator: Evaluator, document: Document) -> bool:
    """Whether the object is in all of the quota's scopes."""
    return all(evaluator.in_scope(each, document) for each in requirements(quota))


def names_match(requirement: Document, names: Iterable[str]) -> bool:
    """Whether one of the object's class names satisfies the requirement, as a label of the scope's name would.

    Without any name, whether the absence of one does. Values are compared as they are: upstream fails a request
    with 500 for a value that is no label value, where we find that it does not match.
    """
    operator = _OPERATORS.get(requirement.get("operator") or "")
    if operator is None:
        return False
    scope = requirement.get("scopeName") or ""
    condition = Requirement(scope, operator, tuple(requirement.get("values") or ()))
    return any(condition.matches(labels) for labels in [{scope: name} for name in names] or [{}])
