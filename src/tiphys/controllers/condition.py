"""Conditions of a status, set and removed by upstream's rule: same status and reason means no change."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document


def find(conditions: Iterable[Document], type_: str) -> Document | None:
    return next((each for each in conditions if each.get("type") == type_), None)


def without(conditions: Iterable[Document], type_: str) -> list[Document]:
    return [each for each in conditions if each.get("type") != type_]


def with_condition(conditions: list[Document], new: Document) -> list[Document]:
    """The list with `new` at its end, unless one of its type has the same status and reason already.

    Where the status does not change, `new` keeps the old lastTransitionTime
    (deploymentutil.SetDeploymentCondition; for a ReplicaSet the difference cannot show).
    """
    old = find(conditions, new["type"])
    if old is not None and old.get("status") == new["status"]:
        if old.get("reason") == new["reason"]:
            return conditions
        new = {**new, "lastTransitionTime": old.get("lastTransitionTime")}
    return [*without(conditions, new["type"]), new]
