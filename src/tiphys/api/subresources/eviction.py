"""pods/eviction: delete a pod if no disruption budget minds (k/k `registry/core/pod/storage/eviction.go`)."""

from __future__ import annotations

from dataclasses import replace

from tiphys.api import answer
from tiphys.api.call import Call
from tiphys.api.catalog import Resource
from tiphys.api.change import Change, apply
from tiphys.api.condition import set_condition
from tiphys.api.decode import decode_kind
from tiphys.api.delete_options import DeleteOptions, delete_options
from tiphys.api.deletion import delete_object
from tiphys.api.disruption_budget import being_processed, budgets_of, check, is_ready, lets_unhealthy_go, take_one
from tiphys.api.kind import Context
from tiphys.api.object_meta import match_namespace
from tiphys.api.options import ALL, WriteOptions, write_options
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.http import Response
from tiphys.base.status import StatusError, bad_request, conflict, not_found

_TOO_MANY = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
CONDITION_SINCE = 26
_CONDITION = {
    "type": "DisruptionTarget",
    "status": "True",
    "reason": "EvictionByEvictionAPI",
    "message": "Eviction API: evicting",
}


async def handle(call: Call) -> Response:
    options = write_options(call.query, "CreateOptions")
    eviction = await decode_kind(call, options, "policy", "v1", "Eviction")
    match_namespace(eviction["metadata"], call.namespace)
    if (eviction["metadata"].get("name") or call.info.name) != call.info.name:
        raise bad_request("name in URL does not match name in Eviction object")
    deletion = _deletion(eviction, options)
    await _admit(call, options, eviction)
    await _evict(call, deletion)
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
    return answer.plain_document(call, 201, status)


def _deletion(eviction: Document, options: WriteOptions) -> DeleteOptions:
    """propagateDryRun: dry run may be said in either place."""
    asked = delete_options(eviction.get("deleteOptions") or {})
    if not options.dry_run or asked.dry_run:
        return asked
    return replace(asked, dry_run=True, document={**asked.document, "dryRun": [ALL]})


async def _admit(call: Call, options: WriteOptions, eviction: Document) -> None:
    if call.api.admission is not None:
        attributes = call.attributes("CREATE", options, eviction, None)
        attributes.group, attributes.kind = call.kind.group, "Eviction"
        await call.api.admission.admit(attributes)
        await call.api.admission.validate(attributes)


async def _evict(call: Call, asked: DeleteOptions) -> None:
    """Raises StatusError 404, 409, 429, 403, and 500 for two budgets."""
    pod = await _pod(call)
    while _undisturbed_by_budgets(pod):
        # A pod that is still to start may become ready meanwhile, and then be minded.
        deletion = asked if _is_over(pod) else _of_version(asked, pod)
        try:
            await _delete(call, pod, deletion)
            return
        except StatusError as error:
            if error.code != 409 or asked.resource_version:
                raise
        pod = await _pod(call)
    budget = await _within_budget(call, pod, asked)
    if not budget:
        await _delete(call, pod, asked)
        return
    try:
        await _delete(call, pod, _of_version(asked, pod))
    except StatusError as error:
        if error.code == 409 and not asked.resource_version:
            raise being_processed(budget) from error
        raise


async def _pod(call: Call) -> Document:
    record = await call.api.store.get(call.key)
    if record is None:
        raise not_found(call.kind.resource, call.info.name)
    return call.api.reader.document(record)


def _undisturbed_by_budgets(pod: Document) -> bool:
    """canIgnorePDB: pods that are over, not yet running or on their way out."""
    return _is_over(pod) or (pod.get("status") or {}).get("phase") == "Pending"


def _is_over(pod: Document) -> bool:
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return ended or bool(pod["metadata"].get("deletionTimestamp"))


def _of_version(asked: DeleteOptions, pod: Document) -> DeleteOptions:
    """Only this very version of the pod."""
    return replace(asked, resource_version=asked.resource_version or pod["metadata"]["resourceVersion"])


async def _within_budget(call: Call, pod: Document, asked: DeleteOptions) -> str:
    """Take one disruption from the pod's budget, if it has one and the pod counts. For a pod that does not count its
    budget's name is returned: it must be deleted as it is."""
    while True:
        budgets = await budgets_of(call, pod)
        if len(budgets) > 1:
            raise StatusError(500, "", _TOO_MANY)
        if not budgets:
            return ""
        budget = budgets[0]
        if not is_ready(pod) and lets_unhealthy_go(budget, call.api.minor):
            return str(budget["metadata"]["name"])
        check(budget)
        if asked.dry_run or await take_one(call, budget, pod["metadata"]["name"]):
            return ""


async def _delete(call: Call, pod: Document, deletion: DeleteOptions) -> None:
    """addConditionAndDeletePod: the pod tells first why it goes."""
    if not deletion.dry_run and call.api.minor >= CONDITION_SINCE:

        def told(latest: Document) -> Document:
            _match(deletion, latest)
            set_condition(latest.setdefault("status", {}), dict(_CONDITION), rfc3339(call.api.clock.now()))
            return latest

        written = call.api.loads(await apply(call, Change(told, WriteOptions(), _unchanged, admitted=False)))
        if deletion.resource_version:
            deletion = replace(deletion, resource_version=written["metadata"]["resourceVersion"])
    await delete_object(call, call.key, deletion, admitted=False)


def _match(deletion: DeleteOptions, latest: Document) -> None:
    """Preconditions, worded as a delete words them."""
    meta = latest["metadata"]
    if deletion.uid and deletion.uid != meta["uid"]:
        why = f"the UID in the precondition ({deletion.uid}) does not match the UID in record ({meta['uid']}). "
        raise conflict("Pod", meta["name"], why + "The object might have been deleted and then recreated")
    asked, found = deletion.resource_version, meta["resourceVersion"]
    if asked and asked != found:
        why = f"the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record "
        raise conflict("Pod", meta["name"], f"{why}({found}). The object might have been modified")


def _unchanged(resource: Resource, new: Document, old: Document, context: Context) -> tuple[str, ...]:
    """Nothing but the condition is written: no preparation, no validation."""
    return ()


SPECIAL = {("pods", "eviction"): handle}
