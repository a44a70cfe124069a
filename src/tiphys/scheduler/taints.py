"""Taints and the tolerations that bear them (component-helpers `scheduling/corev1`)."""

from __future__ import annotations

from collections.abc import Iterable

from tiphys.base.document import Document


def tolerates(toleration: Document, taint: Document) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint.get("effect"):
        return False
    key = toleration.get("key")
    if key and key != taint.get("key"):
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return True
    return bool(key) and (toleration.get("value") or "") == (taint.get("value") or "")


def tolerated(taint: Document, tolerations: Iterable[Document]) -> bool:
    return any(tolerates(toleration, taint) for toleration in tolerations)
