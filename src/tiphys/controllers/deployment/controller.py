"""The deployment controller's loop: events in, and which kind of step is due (`deployment_controller.go`)."""

from __future__ import annotations

from functools import partial

from tiphys.base import label_selector
from tiphys.base.document import Document, owner_reference
from tiphys.base.status import StatusError
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.controller_reference import BY_CONTROLLER, Claimer, index_by_controller, orphan_key, resolve
from tiphys.controllers.deployment.arithmetic import by_age, has_deadline, strategy
from tiphys.controllers.deployment.progress import TIMED_OUT, sync_status
from tiphys.controllers.deployment.recreate import recreate
from tiphys.controllers.deployment.revision import KIND, sync_revision
from tiphys.controllers.deployment.rolling import roll
from tiphys.controllers.deployment.rollout import APPS, PROGRESSING, Rollout
from tiphys.controllers.deployment.scaling import clean_up, is_scaling_event, scale
from tiphys.controllers.pod_state import is_terminal
from tiphys.controllers.reconciler import Reconciler
from tiphys.controllers.replica_set import REPLICA_SET

_SET = REPLICA_SET.kind
PAUSED = "DeploymentPaused"
RESUMED = "DeploymentResumed"


class DeploymentController(Reconciler):
    name = "deployment"
    retries = 15

    def __init__(self, context: Context) -> None:
        informers = context.informers
        self.deployments = informers.of(APPS, "deployments")
        self.sets = informers.of(APPS, "replicasets")
        self.pods = informers.of("v1", "pods")
        super().__init__(context, [self.deployments, self.sets, self.pods])
        self.recorder = context.recorder("deployment-controller")
        index_by_controller(self.sets)
        index_by_controller(self.pods)
        self.deployments.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new), self.enqueue)
        self.sets.add_handlers(self._set_added, self._set_updated, self._set_deleted)
        self.pods.add_handlers(delete=self._pod_deleted)

    # Events

    def _owner(self, replica_set: Document) -> Document | None:
        reference = owner_reference(replica_set)
        return resolve(reference, replica_set["metadata"]["namespace"], KIND, self.deployments)

    def _set_added(self, replica_set: Document) -> None:
        if owner_reference(replica_set) is None:
            self._wake_matching(replica_set)
        else:
            self._set_deleted(replica_set)

    def _set_updated(self, old: Document, new: Document) -> None:
        before, now = owner_reference(old), owner_reference(new)
        if before != now:
            self._set_deleted(old)
        if now is not None:
            self._set_deleted(new)
        elif before is not None or old["metadata"].get("labels") != new["metadata"].get("labels"):
            self._wake_matching(new)

    def _set_deleted(self, replica_set: Document) -> None:
        owner = self._owner(replica_set)
        if owner is not None:
            self.enqueue(owner)

    def _wake_matching(self, replica_set: Document) -> None:
        """An orphan set with labels that a deployment selects may be adopted by it."""
        meta = replica_set["metadata"]
        if not meta.get("labels") or meta.get("deletionTimestamp"):
            return
        for deployment in self.deployments.items.values():
            if deployment["metadata"]["namespace"] != meta["namespace"]:
                continue
            selector = label_selector.from_document(deployment["spec"].get("selector"))
            if not selector.empty and selector.matches(meta["labels"]):
                self.enqueue(deployment)

    def _pod_deleted(self, pod: Document) -> None:
        """The last old pod gone is what a Recreate deployment waits for."""
        replica_set = resolve(owner_reference(pod), pod["metadata"]["namespace"], _SET, self.sets)
        deployment = self._owner(replica_set) if replica_set is not None else None
        if deployment is None or strategy(deployment) != "Recreate":
            return
        sets = self.sets.indexed(BY_CONTROLLER, deployment["metadata"]["uid"]).values()
        if not any(self.pods.indexed(BY_CONTROLLER, each["metadata"]["uid"]) for each in sets):
            self.enqueue(deployment)

    # Reconciling

    async def reconcile(self, key: str) -> None:
        deployment = self.deployments.items.get(key)
        if deployment is None:
            return
        if not any((deployment["spec"].get("selector") or {}).values()):
            await self._refuse_everything(deployment)
            return
        rollout = self._rollout(key, deployment, await self._claimed_sets(deployment))
        if deployment["metadata"].get("deletionTimestamp"):
            await sync_status(rollout, *await sync_revision(rollout, create=False))
            return
        await _tell_paused(rollout)
        if deployment["spec"].get("paused") or await is_scaling_event(rollout):
            await _resize(rollout)
        elif strategy(deployment) == "Recreate":
            await recreate(rollout)
        else:
            await roll(rollout)

    async def _claimed_sets(self, deployment: Document) -> list[Document]:
        """Those it controls; orphans that match are adopted on the way."""
        meta = deployment["metadata"]
        owned = self.sets.indexed(BY_CONTROLLER, meta["uid"]).values()
        orphans = self.sets.indexed(BY_CONTROLLER, orphan_key(meta["namespace"])).values()
        selector = label_selector.from_document(deployment["spec"].get("selector"))
        claimer = Claimer(self.client, deployment, KIND, _SET, selector)
        return by_age(await claimer.claim([*owned, *orphans]))

    def _rollout(self, key: str, deployment: Document, sets: list[Document]) -> Rollout:
        return Rollout(
            client=self.client,
            recorder=self.recorder,
            clock=self.clock,
            minor=self.context.minor,
            deployment=deployment,
            sets=sets,
            pods_of=self._pods_of,
            requeue_after=partial(self.queue.add_after, key),
            requeue_soon=partial(self.queue.add_rate_limited, key),
        )

    def _pods_of(self, replica_set: Document) -> int:
        pods = self.pods.indexed(BY_CONTROLLER, replica_set["metadata"]["uid"]).values()
        return sum(not is_terminal(pod) for pod in pods)

    async def _refuse_everything(self, deployment: Document) -> None:
        message = "This deployment is selecting all pods. A non-empty selector is required."
        self.recorder.event(deployment, "Warning", "SelectingAll", message)
        meta, status = deployment["metadata"], deployment.get("status") or {}
        generation = meta.get("generation") or 0
        if (status.get("observedGeneration") or 0) < generation:
            observed = {**deployment, "status": {**status, "observedGeneration": generation}}
            try:
                await self.client.update_status(APPS, "deployments", observed, meta["namespace"])
            except StatusError:
                pass


async def _resize(rollout: Rollout) -> None:
    """Paused, or its size changed: the sets are sized, the rollout stays where it is (sync)."""
    new, old = await sync_revision(rollout, create=False)
    await scale(rollout, new, old)
    if rollout.deployment["spec"].get("paused"):
        await clean_up(rollout, old)
    current = {each["metadata"]["uid"]: each for each in rollout.sets}
    old = [current[each["metadata"]["uid"]] for each in old]
    await sync_status(rollout, current[new["metadata"]["uid"]] if new else None, old)


async def _tell_paused(rollout: Rollout) -> None:
    """Note pausing and resuming, so that a pause does not count as lack of progress (checkPausedConditions)."""
    if not has_deadline(rollout.deployment):
        return
    reason = (rollout.condition(PROGRESSING) or {}).get("reason")
    if reason == TIMED_OUT:
        return
    paused = bool(rollout.deployment["spec"].get("paused"))
    if paused == (reason == PAUSED):
        return
    if paused:
        rollout.set_condition(PROGRESSING, "Unknown", PAUSED, "Deployment is paused")
    else:
        rollout.set_condition(PROGRESSING, "Unknown", RESUMED, "Deployment is resumed")
    await rollout.write_status()


CONTROLLER = ControllerSpec("deployment", DeploymentController)
