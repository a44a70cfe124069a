"""pods/eviction: delete a pod if no disruption budget minds (k/k `registry/core/pod/storage/eviction.go`)."""

from __future__ import annotations

from dataclasses import replace

from tiphys.api import answer
from tiphys.api.call import Call
from tiphys.api.decode import decode_kind
from tiphys.api.delete_options import DeleteOptions, delete_options
from tiphys.api.deletion import delete_object
from tiphys.api.object_meta import match_namespace
from tiphys.api.options import ALL, WriteOptions, write_options
from tiphys.base import label_selector
from tiphys.base.clock import rfc3339
from tiphys.base.document import Document
from tiphys.base.http import Response
from tiphys.base.status import StatusError, bad_request, not_found, too_many_requests

_VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
_TOO_MANY = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."


async def handle(call: Call) -> Response:
    options = write_options(call.query, "CreateOptions")
    eviction = await decode_kind(call, options, "policy", "v1", "Eviction")
    match_namespace(eviction["metadata"], call.namespace)
    if (eviction["metadata"].get("name") or call.info.name) != call.info.name:
        raise bad_request("name in URL does not match name in Eviction object")
    deletion = _deletion(eviction, options)
    await _admit(call, options, eviction)
    record = await call.api.store.get(call.key)
    if record is None:
        raise not_found(call.kind.resource, call.info.name)
    pod = call.api.reader.document(record)
    if not _undisturbed_by_budgets(pod):
        deletion = await _within_budget(call, pod, deletion)
    await delete_object(call, call.key, deletion, admitted=False)
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


def _undisturbed_by_budgets(pod: Document) -> bool:
    """canIgnorePDB: pods that are over, not yet running or on their way out."""
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


async def _within_budget(call: Call, pod: Document, deletion: DeleteOptions) -> DeleteOptions:
    """Take one disruption from the pod's budget. Raises StatusError 429 when none is left, 500 for two budgets."""
    budgets = await _budgets(call, pod)
    if len(budgets) > 1:
        raise StatusError(500, "", _TOO_MANY)
    if not budgets:
        return deletion
    budget = budgets[0]
    status = budget.get("status") or {}
    if not _ready(pod) and status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0:
        return replace(deletion, resource_version=deletion.resource_version or pod["metadata"]["resourceVersion"])
    _check(budget, status)
    if deletion.dry_run or await _take_one(call, budget, status, pod["metadata"]["name"]):
        return deletion
    return await _within_budget(call, pod, deletion)


async def _budgets(call: Call, pod: Document) -> list[Document]:
    found = await call.api.reader.list("policy", "poddisruptionbudgets", call.namespace)
    return [budget for budget in found if _selects(budget, pod)]


def _selects(budget: Document, pod: Document) -> bool:
    """A budget whose selector is wrong or empty selects nothing."""
    try:
        selector = label_selector.from_document((budget.get("spec") or {}).get("selector"))
    except ValueError:
        return False
    return not selector.empty and selector.matches(pod["metadata"].get("labels"))


def _ready(pod: Document) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions)


def _check(budget: Document, status: Document) -> None:
    """checkAndDecrement, the check."""
    name = budget["metadata"]["name"]
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", 10)
    if status.get("disruptionsAllowed", 0) <= 0:
        needs, has = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
        raise _refused(f"The disruption budget {name} needs {needs} healthy pods and has {has} currently", 0)


def _refused(why: str, retry_after: int) -> StatusError:
    error = too_many_requests(_VIOLATES, retry_after)
    error.details = {"causes": [{"reason": "DisruptionBudget", "message": why}]}
    if retry_after:
        error.details["retryAfterSeconds"] = retry_after
    else:
        error.headers = ()
    return error


async def _take_one(call: Call, budget: Document, status: Document, pod: str) -> bool:
    """False if the budget was changed meanwhile."""
    disrupted = {**(status.get("disruptedPods") or {}), pod: rfc3339(call.api.clock.now())}
    changed = {**status, "disruptionsAllowed": status["disruptionsAllowed"] - 1, "disruptedPods": disrupted}
    try:
        await call.api.writer.replace_status("policy", "poddisruptionbudgets", {**budget, "status": changed})
    except StatusError as error:
        if error.code not in (404, 409):
            raise
        return False
    return True


SPECIAL = {("pods", "eviction"): handle}
