"""The condition that says the control plane ended a pod, and why (PodDisruptionConditions, since 1.26)."""

from __future__ import annotations

from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.controllers.contract import Context

SINCE = 26


async def tell(context: Context, pod: Document, reason: str, message: str, phase: str = "") -> None:
    """Write the condition, if there is a reason for one, and the phase, if given. Raises StatusError.

    Versions before the condition write nothing.
    """
    if context.minor < SINCE:
        return
    status: Document = {"phase": phase} if phase else {}
    if reason:
        status["conditions"] = [_condition(context, reason, message)]
    meta = pod["metadata"]
    patch = {"metadata": {"uid": meta["uid"]}, "status": status}
    await context.client.patch(
        "v1", "pods", meta["name"], patch, meta["namespace"], kind="strategic", subresource="status"
    )


def _condition(context: Context, reason: str, message: str) -> Document:
    return {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": reason,
        "message": message,
        "lastTransitionTime": rfc3339(context.clock.now()),
    }
