"""RuntimeClass: a pod takes over its runtime class's overhead and scheduling
(kubernetes `plugin/pkg/admission/runtimeclass`, `pkg/util/tolerations`)."""

from __future__ import annotations

from tiphys.admission.plugin import CREATE, Base, is_for, part, refuse
from tiphys.api.admission import Attributes
from tiphys.base.document import Document
from tiphys.base.field_error import quoted
from tiphys.resource.resource_list import read


class RuntimeClass(Base):
    NAME = "RuntimeClass"

    async def admit(self, attributes: Attributes) -> None:
        runtime_class = await self._of(attributes)
        if runtime_class is None or attributes.object is None:
            return
        spec = part(attributes.object, "spec")
        overhead = (runtime_class.get("overhead") or {}).get("podFixed")
        if overhead:
            if spec.get("overhead") and read(spec["overhead"]) != read(overhead):
                raise _mismatch(attributes)
            spec["overhead"] = dict(overhead)
        _set_scheduling(attributes, spec, runtime_class.get("scheduling") or {})

    async def validate(self, attributes: Attributes) -> None:
        if attributes.object is None or not is_for(attributes, CREATE, "pods"):
            return
        runtime_class = await self._of(attributes)
        given = (attributes.object.get("spec") or {}).get("overhead")
        defined = ((runtime_class or {}).get("overhead") or {}).get("podFixed")
        if defined and read(defined) != read(given):
            raise _mismatch(attributes)
        if given and not defined:
            raise refuse(
                attributes,
                "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
            )

    async def _of(self, attributes: Attributes) -> Document | None:
        if attributes.object is None or not is_for(attributes, CREATE, "pods"):
            return None
        name = (attributes.object.get("spec") or {}).get("runtimeClassName")
        if not name:
            return None
        found = await self.reader.get("node.k8s.io", "runtimeclasses", "", name)
        if found is None:
            raise refuse(attributes, f"pod rejected: RuntimeClass {quoted(name)} not found")
        return found


def _mismatch(attributes: Attributes) -> Exception:
    return refuse(attributes, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")


def _set_scheduling(attributes: Attributes, spec: Document, scheduling: Document) -> None:
    selector = spec.get("nodeSelector") or {}
    wanted = scheduling.get("nodeSelector") or {}
    for key in sorted(wanted):
        if selector.get(key, wanted[key]) != wanted[key]:
            raise refuse(
                attributes,
                f"conflict: runtimeClass.scheduling.nodeSelector[{key}] = {wanted[key]}; "
                f"pod.spec.nodeSelector[{key}] = {selector[key]}",
            )
    if wanted:
        spec["nodeSelector"] = {**selector, **wanted}
    if scheduling.get("tolerations"):
        spec["tolerations"] = merge_tolerations(spec.get("tolerations") or [], scheduling["tolerations"])


def merge_tolerations(first: list[Document], second: list[Document]) -> list[Document]:
    """Both lists in order, without those that another one includes (tolerations.MergeTolerations)."""
    merged: list[Document] = []
    together = [*first, *second]
    for index, each in enumerate(together):
        included = any(_includes(other, each) for other in merged)
        if not included and not any(other != each and _includes(other, each) for other in together[index + 1 :]):
            merged.append(dict(each))
    return merged


def _includes(wide: Document, narrow: Document) -> bool:
    """Whether everything that `narrow` tolerates is tolerated, as long, by `wide` (tolerations.isSuperset)."""
    if wide == narrow:
        return True
    key, effect, operator = wide.get("key") or "", wide.get("effect") or "", wide.get("operator") or "Equal"
    if key != (narrow.get("key") or "") and (key or operator != "Exists"):
        return False
    if effect and effect != (narrow.get("effect") or ""):
        return False
    if effect == "NoExecute" and not _as_long(wide.get("tolerationSeconds"), narrow.get("tolerationSeconds")):
        return False
    if operator == "Equal":
        return narrow.get("operator") == "Equal" and (wide.get("value") or "") == (narrow.get("value") or "")
    return bool(operator == "Exists")


def _as_long(wide: int | None, narrow: int | None) -> bool:
    return wide is None or (narrow is not None and wide >= narrow)


PLUGIN = RuntimeClass
