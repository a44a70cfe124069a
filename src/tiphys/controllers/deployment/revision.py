"""Which replica set is the new one, and making it; revisions and what is copied with them (`deployment/sync.go`)."""

from __future__ import annotations

from tiphys.base.document import Document, owner_reference
from tiphys.base.status import StatusError
from tiphys.client.retry import NAMESPACE_TERMINATING, has_cause, is_already_exists
from tiphys.controllers.controller_reference import ResourceKind, controller_reference
from tiphys.controllers.deployment.arithmetic import (
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    has_deadline,
    max_surge,
    new_set_replicas,
)
from tiphys.controllers.deployment.rollout import APPS, PROGRESSING, REVISION, Rollout
from tiphys.controllers.deployment.template_hash import LABEL, same_template, template_hash
from tiphys.controllers.replica_set_status import wanted

KIND = ResourceKind(APPS, "Deployment", "deployments")
HISTORY = "deployment.kubernetes.io/revision-history"
LONGEST_HISTORY = 2000
"""Characters kept in the revision-history annotation."""
LONGEST_NAME = 253
FROM_ZERO_SINCE = 32
"""The first minor whose event says `from 0 to 3` where it said `to 3` before."""
_NOT_COPIED = {
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
}


def find_new(rollout: Rollout) -> Document | None:
    """The oldest set with the deployment's template."""
    template = rollout.deployment["spec"]["template"]
    return next((each for each in rollout.sets if same_template(each["spec"]["template"], template)), None)


def find_old(rollout: Rollout) -> list[Document]:
    """All others, oldest first."""
    new = find_new(rollout)
    return [each for each in rollout.sets if new is None or each["metadata"]["uid"] != new["metadata"]["uid"]]


def revision_of(replica_set: Document) -> int:
    """Its revision annotation; 0 without a readable one."""
    try:
        return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, 0))
    except ValueError:
        return 0


async def sync_revision(rollout: Rollout, create: bool) -> tuple[Document | None, list[Document]]:
    """(new set, old sets): the new one made if absent and `create`, its annotations and the deployment's revision
    brought up to date (getAllReplicaSetsAndSyncRevision)."""
    old = find_old(rollout)
    revision = max((revision_of(each) for each in old), default=0) + 1
    existing = find_new(rollout)
    if existing is not None:
        return await _sync_existing(rollout, existing, revision), old
    return (await _create(rollout, old, revision) if create else None), old


async def _sync_existing(rollout: Rollout, existing: Document, revision: int) -> Document:
    annotations = new_annotations(rollout, existing, revision)
    min_ready = rollout.deployment["spec"].get("minReadySeconds") or 0
    meta, spec = existing["metadata"], existing["spec"]
    if annotations != (meta.get("annotations") or {}) or min_ready != (spec.get("minReadySeconds") or 0):
        changed = {**existing, "metadata": {**meta, "annotations": annotations}}
        changed["spec"] = {**spec, "minReadySeconds": min_ready}
        return await write_set(rollout, changed)
    news = rollout.set_revision(annotations.get(REVISION, ""))
    if has_deadline(rollout.deployment) and rollout.condition(PROGRESSING) is None:
        message = f'Found new replica set "{meta["name"]}"'
        rollout.set_condition(PROGRESSING, "True", "FoundNewReplicaSet", message)
        news = True
    if news:
        await rollout.write_status()
    return existing


async def write_set(rollout: Rollout, replica_set: Document) -> Document:
    """Update a replica set, here and in the rollout's list."""
    written = await rollout.client.update(APPS, "replicasets", replica_set, rollout.namespace)
    uid = written["metadata"]["uid"]
    rollout.sets = [written if each["metadata"]["uid"] == uid else each for each in rollout.sets]
    return written


def new_annotations(rollout: Rollout, replica_set: Document, revision: int) -> dict[str, str]:
    """The set's annotations with the deployment's copied over, and the revision raised (SetNewReplicaSetAnnotations).

    A set that takes a new revision was rolled back to; the old one goes to its history.
    """
    found = dict(replica_set["metadata"].get("annotations") or {})
    found.update({key: value for key, value in rollout.annotations.items() if key not in _NOT_COPIED})
    before = found.get(REVISION)
    try:
        old = int(before) if before else 0
    except ValueError:
        return found
    if old < revision:
        found[REVISION] = str(revision)
        if before is not None:
            _remember(found, before)
    return found


def _remember(annotations: dict[str, str], old: str) -> None:
    history = [each for each in annotations.get(HISTORY, "").split(",") if each]
    while history and len(",".join([*history, old])) > LONGEST_HISTORY:
        history.pop(0)
    annotations[HISTORY] = ",".join([*history, old])


def replicas_annotations(deployment: Document) -> dict[str, str]:
    """What each sized set is annotated with, to tell scaling from rolling."""
    total = wanted(deployment)
    return {DESIRED_REPLICAS: str(total), MAX_REPLICAS: str(total + max_surge(deployment))}


async def _create(rollout: Rollout, old: list[Document], revision: int) -> Document:
    new = _new_set(rollout, old, revision)
    name, replicas = new["metadata"]["name"], wanted(new)
    exists = False
    try:
        made = await rollout.client.create(APPS, "replicasets", new, rollout.namespace)
        rollout.sets.append(made)
    except StatusError as error:
        if not is_already_exists(error):
            await _tell_failure(rollout, name, error)
            raise
        exists, made = True, await _existing_or_collision(rollout, name, error)
    if not exists and replicas > 0:
        how = f"from 0 to {replicas}" if rollout.minor >= FROM_ZERO_SINCE else f"to {replicas}"
        rollout.say("ScalingReplicaSet", f"Scaled up replica set {name} {how}")
    news = rollout.set_revision(str(revision))
    if not exists and has_deadline(rollout.deployment):
        message = f'Created new replica set "{name}"'
        rollout.set_condition(PROGRESSING, "True", "NewReplicaSetCreated", message)
        news = True
    if news:
        await rollout.write_status()
    return made


def _new_set(rollout: Rollout, old: list[Document], revision: int) -> Document:
    deployment = rollout.deployment
    spec = deployment["spec"]
    template = spec["template"]
    hashed = template_hash(template, rollout.status.get("collisionCount"))
    labels = {**((template.get("metadata") or {}).get("labels") or {}), LABEL: hashed}
    selector = dict(spec["selector"])
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), LABEL: hashed}
    base = rollout.name[: LONGEST_NAME - len(hashed) - 1]
    new: Document = {
        "apiVersion": APPS,
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{base}-{hashed}",
            "namespace": rollout.namespace,
            "labels": labels,
            "ownerReferences": [controller_reference(deployment, KIND)],
        },
        "spec": {
            "replicas": 0,
            "selector": selector,
            "template": {**template, "metadata": {**(template.get("metadata") or {}), "labels": labels}},
        },
    }
    if spec.get("minReadySeconds"):
        new["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    new["spec"]["replicas"] = new_set_replicas(deployment, [*old, new], new)
    annotations = {**new_annotations(rollout, new, revision), **replicas_annotations(deployment)}
    new["metadata"]["annotations"] = annotations
    return new


async def _existing_or_collision(rollout: Rollout, name: str, error: StatusError) -> Document:
    """The set of that name if it is ours with this template; else another template has the same hash, and the
    collision count makes the next try another. Raises the error then."""
    found = await rollout.client.get(APPS, "replicasets", name, rollout.namespace)
    reference = owner_reference(found)
    ours = reference is not None and reference.get("uid") == rollout.deployment["metadata"]["uid"]
    if ours and same_template(rollout.deployment["spec"]["template"], found["spec"]["template"]):
        rollout.sets.append(found)
        return found
    rollout.status["collisionCount"] = (rollout.status.get("collisionCount") or 0) + 1
    await rollout.write_status()
    raise error


async def _tell_failure(rollout: Rollout, name: str, error: StatusError) -> None:
    if has_cause(error, NAMESPACE_TERMINATING):
        return
    message = f'Failed to create new replica set "{name}": {error.message}'
    rollout.warn("ReplicaSetCreateError", message)
    if has_deadline(rollout.deployment):
        rollout.set_condition(PROGRESSING, "False", "ReplicaSetCreateError", message)
        try:
            await rollout.write_status()
        except StatusError:
            pass
