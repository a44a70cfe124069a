"""Disruption: keeps the status of PodDisruptionBudgets, by which evictions are allowed (`pkg/controller/disruption`).

A pod event costs a look at the budgets indexed under its labels. Pods that were to be evicted and never were get
their DisruptionTarget condition taken back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from tiphys.base import label_selector
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document, namespaced_name
from tiphys.base.label_selector import Selector
from tiphys.base.status import StatusError
from tiphys.client.events import NORMAL, WARNING
from tiphys.client.retry import is_conflict
from tiphys.controllers import disruption_target
from tiphys.controllers.condition import find
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.disruption_scale import ScaleFailure, Scales
from tiphys.controllers.label_index import candidates, delay, index_by_label, index_by_selector, selected
from tiphys.controllers.pod_state import condition, is_ready, is_terminal, time_of
from tiphys.controllers.reconciler import Reconciler

DELETION_TIMEOUT = 120.0
"""Seconds in which an evicted pod should be deleted; then it counts again."""
STALE_AFTER = 120.0
"""Seconds after which a DisruptionTarget condition of a pod that is not deleted is taken back."""
BUDGETS = ("policy/v1", "poddisruptionbudgets")
_POD = "pod|"
"""Before the key of a pod whose condition may be stale: one queue serves both."""
_UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of "
    "the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods "
    'please set ".spec.minAvailable" field of the PDB to an integer value.'
)


class DisruptionController(Reconciler):
    """Level-triggered by budget key."""

    name = "disruption"

    def __init__(self, context: Context) -> None:
        self.pods = context.informers.of("v1", "pods")
        self.budgets = context.informers.of(*BUDGETS)
        self.scales = Scales(context)
        super().__init__(context, [self.pods, self.budgets, *self.scales.informers])
        self.recorder = context.recorder("controllermanager")
        self._sizes: dict[str, int] = {}
        """How many pods a budget had when last looked at."""
        index_by_label(self.pods)
        index_by_selector(self.budgets, _asked_labels)
        self.budgets.add_handlers(self.enqueue, self._budget_updated, self._budget_deleted)
        self.pods.add_handlers(self._pod_added, self._pod_updated, self._wake_budgets)

    # Events

    def _budget_updated(self, old: Document, new: Document) -> None:
        """What only changed in its status is our own doing, or an eviction's."""
        if old["metadata"].get("generation") != new["metadata"].get("generation"):
            self.enqueue(new)
        else:
            self._wake(namespaced_name(new))

    def _wake(self, key: str) -> None:
        self.queue.add_after(key, delay(self._sizes.get(key, 0)))

    def _budget_deleted(self, budget: Document) -> None:
        self._sizes.pop(namespaced_name(budget), None)

    def _pod_added(self, pod: Document) -> None:
        self._wake_budgets(pod)
        self._look_for_stale(pod)

    def _pod_updated(self, old: Document, new: Document) -> None:
        self._look_for_stale(new)
        before, now = old["metadata"], new["metadata"]
        relabelled = before.get("labels") != now.get("labels")
        if relabelled:
            self._wake_budgets(old)
        watched = ("deletionTimestamp", "ownerReferences")
        if relabelled or is_ready(old) != is_ready(new) or any(before.get(it) != now.get(it) for it in watched):
            self._wake_budgets(new)

    def _wake_budgets(self, pod: Document) -> None:
        budgets = sorted(namespaced_name(each) for each in candidates(self.budgets, pod) if _selects(each, pod))
        if len(budgets) > 1:
            meta, first = pod["metadata"], budgets[0].rpartition("/")[2]
            message = (
                f'Pod "{meta["namespace"]}"/"{meta["name"]}" matches multiple PodDisruptionBudgets.  '
                f'Chose "{first}" arbitrarily.'
            )
            self.recorder.event(pod, WARNING, "MultiplePodDisruptionBudgets", message)
        for key in budgets:
            self._wake(key)

    def _look_for_stale(self, pod: Document) -> None:
        seconds = self._stale_in(pod)
        if seconds is not None:
            self.queue.add_after(_POD + namespaced_name(pod), seconds)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        if key.startswith(_POD):
            await self._take_back(key.removeprefix(_POD))
            return
        budget = self.budgets.items.get(key)
        if budget is None:
            return
        try:
            await self._sync(key, budget)
        except (StatusError, ScaleFailure, ValueError) as error:
            if is_conflict(error):
                raise
            await self._fail_safe(budget, str(error))

    async def _sync(self, key: str, budget: Document) -> None:
        pods = self._pods_of(budget)
        self._sizes[key] = len(pods)
        if not pods:
            self.recorder.event(budget, NORMAL, "NoPods", "No matching pods found")
        try:
            expected, desired, unmanaged = await self._expected(budget, pods)
        except (StatusError, ScaleFailure, ValueError) as error:
            message = f"Failed to calculate the number of expected pods: {error}"
            self.recorder.event(budget, WARNING, "CalculateExpectedPodCountFailed", message)
            raise
        if unmanaged:
            message = _UNMANAGED.format(_go_selector(budget["spec"].get("selector") or {}))
            self.recorder.event(budget, WARNING, "UnmanagedPods", message)
        now = self.clock.now()
        disrupted, recheck = self._disrupted(budget, pods, now)
        healthy = sum(is_ready(pod) for pod in pods if not _is_going(pod, disrupted, now))
        await self._update_status(budget, _counts(expected, desired, healthy), disrupted)
        if recheck is not None:
            self.queue.add_after(key, recheck)

    def _pods_of(self, budget: Document) -> list[Document]:
        try:
            selector = _selector(budget)
        except ValueError as error:
            self.recorder.event(budget, WARNING, "NoPods", f"Failed to get pods: {error}")
            raise
        if selector is None:
            return []
        found = selected(self.pods, budget["metadata"]["namespace"], selector, _asked_labels(budget) or {})
        return sorted(found, key=namespaced_name)

    async def _expected(self, budget: Document, pods: list[Document]) -> tuple[int, int, list[str]]:
        """Pods expected, pods that must be healthy, and those nobody controls (getExpectedPodCount)."""
        spec = budget.get("spec") or {}
        most, least = spec.get("maxUnavailable"), spec.get("minAvailable")
        if most is not None:
            expected, unmanaged = await self.scales.expected(pods)
            return expected, max(0, expected - _scaled(most, expected)), unmanaged
        if isinstance(least, int):
            return len(pods), least, []
        if least is not None:
            expected, unmanaged = await self.scales.expected(pods)
            return expected, _scaled(least, expected), unmanaged
        return 0, 0, []

    def _disrupted(self, budget: Document, pods: list[Document], now: float) -> tuple[dict[str, str], float | None]:
        """Those pods that are still about to be deleted, and in how many seconds to look again
        (buildDisruptedPodMap)."""
        had: Mapping[str, str] = (budget.get("status") or {}).get("disruptedPods") or {}
        found: dict[str, str] = {}
        recheck: float | None = None
        for pod in pods:
            meta = pod["metadata"]
            if meta["name"] not in had or meta.get("deletionTimestamp"):
                continue
            left = time_of(had[meta["name"]]) + DELETION_TIMEOUT - now
            if left < 0:
                # Upstream names the namespace twice.
                namespace = budget["metadata"]["namespace"]
                message = f"Pod was expected by PDB {namespace}/{namespace} to be deleted but it wasn't"
                self.recorder.event(pod, WARNING, "NotDeleted", message)
            else:
                found[meta["name"]] = had[meta["name"]]
                recheck = left if recheck is None else min(recheck, left)
        return found, recheck

    async def _update_status(self, budget: Document, counts: Document, disrupted: dict[str, str]) -> None:
        """updatePdbStatus."""
        generation = budget["metadata"].get("generation") or 0
        status: Document = {"observedGeneration": generation, **counts}
        if disrupted:
            status["disruptedPods"] = disrupted
        allowed = counts["disruptionsAllowed"] > 0
        new = _condition(allowed, "SufficientPods" if allowed else "InsufficientPods", "", generation)
        await self._write(budget, status, new)

    async def _fail_safe(self, budget: Document, why: str) -> None:
        """When nothing is known, no disruption is allowed."""
        status = {**(budget.get("status") or {}), "disruptionsAllowed": 0}
        new = _condition(False, "SyncFailed", why, status.get("observedGeneration") or 0)
        await self._write(budget, status, new)

    async def _write(self, budget: Document, status: Document, new: Document) -> None:
        old = budget.get("status") or {}
        status["conditions"] = _with_condition(old.get("conditions") or [], new, rfc3339(self.clock.now()))
        if status != {field: value for field, value in old.items() if value not in ({}, None)}:
            namespace = budget["metadata"]["namespace"]
            await self.client.update_status(*BUDGETS, {**budget, "status": status}, namespace)

    # Stale conditions

    def _stale_in(self, pod: Document) -> float | None:
        """Seconds until the pod's DisruptionTarget condition is stale; None if it is not to become so
        (nonTerminatingPodHasStaleDisruptionCondition)."""
        if self.context.minor < disruption_target.SINCE:
            return None
        found = condition(pod, "DisruptionTarget")
        if found is None or found.get("status") != "True" or found.get("reason") == "TerminationByKubelet":
            return None
        if pod["metadata"].get("deletionTimestamp") or is_terminal(pod):
            return None
        return max(0.0, time_of(found.get("lastTransitionTime")) + STALE_AFTER - self.clock.now())

    async def _take_back(self, key: str) -> None:
        pod = self.pods.items.get(key)
        seconds = self._stale_in(pod) if pod is not None else None
        if pod is None or seconds is None:
            return
        if seconds > 0:
            self.queue.add_after(_POD + key, seconds)
            return
        meta = pod["metadata"]
        gone = {"reason": None, "message": None, "lastTransitionTime": rfc3339(self.clock.now())}
        conditions = [{"type": "DisruptionTarget", "status": "False", **gone}]
        patch = {"metadata": {"uid": meta["uid"]}, "status": {"conditions": conditions}}
        await self.client.patch(
            "v1", "pods", meta["name"], patch, meta["namespace"], kind="strategic", subresource="status"
        )


def _asked_labels(budget: Document) -> Mapping[str, str] | None:
    return ((budget.get("spec") or {}).get("selector") or {}).get("matchLabels")


def _selector(budget: Document) -> Selector | None:
    """None selects nothing. Raises ValueError."""
    selector = (budget.get("spec") or {}).get("selector")
    return None if selector is None else label_selector.from_document(selector)


def _selects(budget: Document, pod: Document) -> bool:
    try:
        selector = _selector(budget)
    except ValueError:
        return False
    return selector is not None and selector.matches(pod["metadata"].get("labels"))


def _is_going(pod: Document, disrupted: Mapping[str, str], now: float) -> bool:
    """Being deleted, or about to be (countHealthyPods)."""
    meta = pod["metadata"]
    if meta.get("deletionTimestamp"):
        return True
    return meta["name"] in disrupted and time_of(disrupted[meta["name"]]) + DELETION_TIMEOUT > now


def _scaled(amount: int | str, total: int) -> int:
    """A number, or a percentage of the total, rounded up. Raises ValueError."""
    if isinstance(amount, int):
        return amount
    if not amount.endswith("%"):
        raise ValueError("invalid value for IntOrString: invalid type: string is not a percentage")
    return math.ceil(int(amount[:-1]) * total / 100)


def _counts(expected: int, desired: int, healthy: int) -> Document:
    allowed = max(0, healthy - desired) if expected > 0 else 0
    return {
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "disruptionsAllowed": allowed,
    }


def _condition(status: bool, reason: str, message: str, generation: int) -> Document:
    found = {"type": "DisruptionAllowed", "status": str(status), "reason": reason, "message": message}
    return {**found, "observedGeneration": generation} if generation else found


def _with_condition(conditions: list[Document], new: Document, now: str) -> list[Document]:
    """In the place of the one of its type; its transition time stays while its status does (SetStatusCondition)."""
    old = find(conditions, new["type"])
    same = old is not None and old.get("status") == new["status"]
    new = {**new, "lastTransitionTime": old["lastTransitionTime"] if old is not None and same else now}
    if old is None:
        return [*conditions, new]
    return [new if each is old else each for each in conditions]


def _go_selector(selector: Document) -> str:
    """As Go prints a *LabelSelector."""
    labels = "".join(f"{key}: {value}," for key, value in sorted((selector.get("matchLabels") or {}).items()))
    terms = "".join(
        f"LabelSelectorRequirement{{Key:{term['key']},Operator:{term['operator']},"
        f"Values:[{' '.join(term.get('values') or ())}],}},"
        for term in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"
    )


CONTROLLER = ControllerSpec("disruption", DisruptionController)
