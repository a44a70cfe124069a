"""The rules of a cluster role that is made of others (kubernetes `pkg/controller/clusterroleaggregation`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base import label_selector
from tiphys.base.document import Document


def aggregated_rules(role: Document, roles: Iterable[Document]) -> list[Document]:
    """The rules of all `roles` that its aggregationRule selects, in the order of selectors and names, each once.

    A selector that cannot be read selects nothing; validation lets none such be stored.
    """
    name, found = role["metadata"]["name"], []
    others = sorted((each for each in roles if each["metadata"]["name"] != name), key=_name)
    for selector in _selectors(role):
        parts = (each for each in others if selector.matches(each["metadata"].get("labels") or {}))
        for rule in (rule for part in parts for rule in part.get("rules") or ()):
            if rule not in found:
                found.append(rule)
    return found


def _selectors(role: Document) -> list[label_selector.Selector]:
    selectors = []
    for document in (role.get("aggregationRule") or {}).get("clusterRoleSelectors") or ():
        try:
            selectors.append(label_selector.from_document(document))
        except ValueError:
            continue
    return selectors


def _name(role: Document) -> str:
    return str(role["metadata"]["name"])
