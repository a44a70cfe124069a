"""What a PodDisruptionBudget says to an eviction (k/k `registry/core/pod/storage/eviction.go`)."""

from __future__ import annotations

from tiphys.api.call import Call
from tiphys.base import label_selector
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.status import StatusError, forbidden, too_many_requests

_VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
MOST_DISRUPTED = 2000
"""Evictions that the controller has not seen the end of."""
EVICTION_POLICY_SINCE = 27


async def budgets_of(call: Call, pod: Document) -> list[Document]:
    found = await call.api.reader.list("policy", "poddisruptionbudgets", call.namespace)
    return [budget for budget in found if _selects(budget, pod)]


def _selects(budget: Document, pod: Document) -> bool:
    """A budget without a selector, or with a wrong one, selects nothing; an empty one every pod (policy/v1)."""
    try:
        selector = label_selector.from_document((budget.get("spec") or {}).get("selector"))
    except ValueError:
        return False
    return selector.matches(pod["metadata"].get("labels"))


def is_ready(pod: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def lets_unhealthy_go(budget: Document, minor: int) -> bool:
    """Whether a pod that is not ready may go without being counted (spec.unhealthyPodEvictionPolicy)."""
    policy = (budget.get("spec") or {}).get("unhealthyPodEvictionPolicy")
    if policy == "AlwaysAllow" and minor >= EVICTION_POLICY_SINCE:
        return True
    status = budget.get("status") or {}
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)


def check(budget: Document) -> None:
    """Whether one more disruption is allowed. Raises StatusError 429, 403."""
    name, status = budget["metadata"]["name"], budget.get("status") or {}
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise being_processed(name)
    if status.get("disruptionsAllowed", 0) < 0:
        negative = "pdb disruptions allowed is negative"
        raise _forbidden(name, negative, negative)
    if len(status.get("disruptedPods") or ()) > MOST_DISRUPTED:
        why = "too many {}evictions not confirmed by PDB controller"
        raise _forbidden(name, f"DisruptedPods map too big - {why.format('')}", why.format("pending "))
    if status.get("disruptionsAllowed", 0) == 0:
        raise _refused(_none_left(name, status), 0)


def being_processed(name: str) -> StatusError:
    return _refused(f"The disruption budget {name} is still being processed by the server.", 10)


def _none_left(name: str, status: Document) -> str:
    """Counts are not to be trusted where the controller failed."""
    needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    conditions = status.get("conditions") or ()
    found: Document = next((each for each in conditions if each.get("type") == "DisruptionAllowed"), {})
    told = found.get("message") if found.get("status") == "False" else ""
    cannot = f"The disruption budget {name} does not allow evicting pods currently"
    if told and found.get("reason") == "SyncFailed":
        return f"{cannot} because it failed sync: {told}"
    if has <= needs:
        return f"The disruption budget {name} needs {needs} healthy pods and has {has} currently"
    return f"{cannot} ({found.get('reason')}): {told}" if told else cannot


def _refused(why: str, retry_after: int) -> StatusError:
    error = too_many_requests(_VIOLATES, retry_after)
    error.details = {"causes": [_cause(why)]}
    if retry_after:
        error.details["retryAfterSeconds"] = retry_after
    else:
        error.headers = ()
    return error


def _forbidden(name: str, why: str, cause: str) -> StatusError:
    error = forbidden("poddisruptionbudget.policy", name, why)
    told = _cause(f"The disruption budget {name} does not allow evicting pods currently: {cause}")
    error.details = {**(error.details or {}), "causes": [told]}
    return error


def _cause(message: str) -> Document:
    return {"reason": "DisruptionBudget", "message": message}


async def take_one(call: Call, budget: Document, pod: str) -> bool:
    """One disruption less, for this pod. False if the budget was changed meanwhile."""
    status, now = budget["status"], rfc3339(call.api.clock.now())
    left = status["disruptionsAllowed"] - 1
    disrupted = {**(status.get("disruptedPods") or {}), pod: now}
    changed = {**status, "disruptionsAllowed": left, "disruptedPods": disrupted}
    if left == 0:
        changed["conditions"] = _with_none_left(status, now)
    try:
        await call.api.writer.replace_status("policy", "poddisruptionbudgets", {**budget, "status": changed})
    except StatusError as error:
        if error.code not in (404, 409):
            raise
        return False
    return True


def _with_none_left(status: Document, now: str) -> list[Document]:
    """UpdateDisruptionAllowedCondition."""
    new: Document = {"type": "DisruptionAllowed", "status": "False", "reason": "InsufficientPods", "message": ""}
    if generation := status.get("observedGeneration"):
        new["observedGeneration"] = generation
    conditions: list[Document] = list(status.get("conditions") or ())
    for index, old in enumerate(conditions):
        if old.get("type") == new["type"]:
            since = old["lastTransitionTime"] if old.get("status") == new["status"] else now
            conditions[index] = {**new, "lastTransitionTime": since}
            return conditions
    return [*conditions, {**new, "lastTransitionTime": now}]
