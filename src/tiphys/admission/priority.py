"""Priority: a pod's priority class becomes its number (kubernetes `plugin/pkg/admission/priority`)."""

from __future__ import annotations

from tiphys.admission.plugin import CREATE, UPDATE, Base, is_for, part, refuse
from tiphys.api.admission import Attributes
from tiphys.base.document import Document

_GROUP = "scheduling.k8s.io"
_CLASSES = "priorityclasses"
_PREEMPT = "PreemptLowerPriority"

_SYSTEM: dict[str, Document] = {
    "system-cluster-critical": {"value": 2_000_000_000, "preemptionPolicy": _PREEMPT},
    "system-node-critical": {"value": 2_000_001_000, "preemptionPolicy": _PREEMPT},
}
"""Known even before boot has made the objects."""

_NO_DEFAULT: Document = {"value": 0, "preemptionPolicy": _PREEMPT}


class Priority(Base):
    NAME = "Priority"

    async def admit(self, attributes: Attributes) -> None:
        if attributes.object is None:
            return
        if is_for(attributes, CREATE, "pods"):
            await self._admit_pod(attributes, part(attributes.object, "spec"))
        elif is_for(attributes, UPDATE, "pods") and attributes.old is not None:
            _keep(part(attributes.object, "spec"), attributes.old.get("spec") or {})

    async def _admit_pod(self, attributes: Attributes, spec: Document) -> None:
        found = await self._class_of(attributes, spec)
        value, policy = found.get("value") or 0, found.get("preemptionPolicy")
        if spec.get("priority") is not None and spec["priority"] != value:
            raise refuse(
                attributes,
                f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority "
                f"admission controller computed {value} from the given PriorityClass name",
            )
        spec["priority"] = value
        if policy is None:
            return
        if spec.get("preemptionPolicy") is not None and spec["preemptionPolicy"] != policy:
            raise refuse(
                attributes,
                f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod "
                f"spec; priority admission controller computed {policy} from the given PriorityClass name",
            )
        spec["preemptionPolicy"] = policy

    async def _class_of(self, attributes: Attributes, spec: Document) -> Document:
        """The pod's class, or the default one, which is then written to it."""
        name = spec.get("priorityClassName")
        if not name:
            default = await self._default_class()
            if default is None:
                return _NO_DEFAULT
            spec["priorityClassName"] = default["metadata"]["name"]
            return default
        found = await self.reader.get(_GROUP, _CLASSES, "", name) or _SYSTEM.get(name)
        if found is None:
            raise refuse(attributes, f"no PriorityClass with name {name} was found")
        return found

    async def _default_class(self) -> Document | None:
        """Of several defaults, which only a race can make, the lowest."""
        classes = [each for each in await self.reader.list(_GROUP, _CLASSES) if each.get("globalDefault")]
        return min(classes, key=lambda each: int(each.get("value") or 0), default=None)

    async def validate(self, attributes: Attributes) -> None:
        wanted = attributes.object
        if wanted is None or attributes.resource != _CLASSES or not wanted.get("globalDefault"):
            return
        if not any(is_for(attributes, operation, _CLASSES, _GROUP) for operation in (CREATE, UPDATE)):
            return
        default = await self._default_class()
        if default is None:
            return
        name = default["metadata"]["name"]
        if attributes.operation == CREATE or name != wanted["metadata"].get("name"):
            raise refuse(attributes, f"PriorityClass {name} is already marked as default. Only one default can exist")


def _keep(spec: Document, old: Document) -> None:
    """What was computed at creation stays when an update leaves it out."""
    for key in ("priority", "preemptionPolicy"):
        if spec.get(key) is None and old.get(key) is not None:
            spec[key] = old[key]


PLUGIN = Priority
