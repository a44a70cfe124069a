"""Charging one request to the quotas it falls under (apiserver `resourcequota/controller.go` CheckRequest)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.admission.plugin import UPDATE, refuse
from tiphys.api.admission import Attributes
from tiphys.base.document import Document
from tiphys.resource.quota.evaluator import Evaluator
from tiphys.resource.quota.scope import covers
from tiphys.resource.resource_list import (
    ResourceList,
    add,
    exceeding,
    mask,
    negative,
    read,
    subtract_to_zero,
    to_string,
    without_zeros,
    write,
)


@dataclass(slots=True)
class RunningQuota:
    """A quota as it will be once the requests so far are charged. `document` is as it was read."""

    document: Document
    hard: ResourceList
    used: ResourceList
    before: ResourceList

    @property
    def name(self) -> str:
        return str(self.document["metadata"]["name"])

    @property
    def changed(self) -> bool:
        return self.used != self.before

    def charged_document(self) -> Document:
        """The document to write: what is used has grown, all else is as it was."""
        status = self.document.get("status") or {}
        return {**self.document, "status": {**status, "used": write(self.used)}}


def running_quota(document: Document) -> RunningQuota:
    """A quota at the start of a batch. Until its controller has filled in its status, it limits nothing."""
    status = document.get("status") or {}
    used = read(status.get("used"))
    return RunningQuota(document, read(status.get("hard")), used, used)


def charge(
    quotas: list[RunningQuota], attributes: Attributes, evaluator: Evaluator, now: float
) -> dict[str, ResourceList]:
    """The new `used` of each quota that this request changes, by the quota's name.

    Raises StatusError 403 if a quota refuses: it demands something the object does not say, its usage is not
    known yet, or there is too little left. The quotas are not changed.
    """
    document = attributes.object or {}
    concerned = [each for each in quotas if _is_concerned(each, attributes, evaluator, document)]
    usage = evaluator.usage(document, now)
    if below := negative(usage):
        raise refuse(attributes, f"quota usage is negative for resource(s): {','.join(below)}")
    charged: dict[str, ResourceList] = {}
    for quota in concerned:
        delta = without_zeros(_delta(quota, attributes, evaluator, usage, now))
        if delta:
            charged[quota.name] = _charge_one(quota, attributes, delta)
    return charged


def _is_concerned(quota: RunningQuota, attributes: Attributes, evaluator: Evaluator, document: Document) -> bool:
    names = evaluator.matching(quota.hard)
    if not names or not covers(quota.document, evaluator, document):
        return False
    if complaint := evaluator.missing(names, document):
        raise refuse(attributes, f"failed quota: {quota.name}: {complaint}")
    if any(name not in quota.used for name in names):
        raise refuse(attributes, f"status unknown for quota: {quota.name}, resources: {','.join(names)}")
    return True


def _delta(
    quota: RunningQuota, attributes: Attributes, evaluator: Evaluator, usage: ResourceList, now: float
) -> ResourceList:
    """On an update only what grew, unless the object comes into the quota's scope by it."""
    old = attributes.old
    if attributes.operation != UPDATE:
        return usage
    if old is None:
        raise refuse(attributes, "unable to get previous usage since prior version of object was not found")
    stored = (old.get("metadata") or {}).get("resourceVersion")
    if not stored or not covers(quota.document, evaluator, old):
        return usage
    return subtract_to_zero(usage, evaluator.usage(old, now))


def _charge_one(quota: RunningQuota, attributes: Attributes, delta: ResourceList) -> ResourceList:
    requested = mask(delta, quota.hard)
    total = add(quota.used, requested)
    over = exceeding(mask(total, requested), quota.hard)
    if over and attributes.subresource != "status":
        raise refuse(
            attributes,
            f"exceeded quota: {quota.name}, requested: {to_string(mask(requested, over))}, "
            f"used: {to_string(mask(quota.used, over))}, limited: {to_string(mask(quota.hard, over))}",
        )
    return total
