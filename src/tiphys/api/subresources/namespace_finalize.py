"""namespaces/finalize: write spec.finalizers; without any, a deleted namespace goes
(k/k `registry/core/namespace/strategy.go` namespaceFinalizeStrategy)."""

from __future__ import annotations

from collections.abc import Sequence

from tiphys.api import answer, object_meta
from tiphys.api.call import Call
from tiphys.api.catalog import Resource
from tiphys.api.change import Change, apply
from tiphys.api.decode import decode_object
from tiphys.api.kind import Context
from tiphys.api.namespace import spec_finalizers
from tiphys.api.options import write_options
from tiphys.api.strategy import refuse
from tiphys.base import name_rules
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError, invalid_value
from tiphys.base.http import Response

_STANDARD = ("kubernetes", object_meta.ORPHAN, object_meta.FOREGROUND)
_NOT_STANDARD = "name is neither a standard finalizer name nor is it fully qualified"


async def handle(call: Call) -> Response:
    options = write_options(call.query, "UpdateOptions")
    wanted = await decode_object(call, options)
    object_meta.match_name(wanted["metadata"], call.info.name)

    def produce(current: Document) -> Document:
        metadata = {**current["metadata"], "resourceVersion": wanted["metadata"].get("resourceVersion")}
        spec = {key: value for key, value in (wanted.get("spec") or {}).items() if key == "finalizers" and value}
        return {**current, "metadata": metadata, "spec": spec}

    change = Change(produce, options, _validate, wanted["metadata"].get("uid") or "")
    return answer.one(call, 200, await apply(call, change))


def _validate(resource: Resource, new: Document, old: Document, context: Context) -> Sequence[str]:
    """ValidateNamespaceFinalizeUpdate."""
    errors: list[FieldError] = []
    for index, name in enumerate(spec_finalizers(new)):
        path = f"spec.finalizers[{index}]"
        errors += [invalid_value(path, name, text) for text in name_rules.label_key(name)]
        if "/" not in name and name not in _STANDARD:
            errors.append(invalid_value(path, name, _NOT_STANDARD))
    refuse(resource.kind, new["metadata"], errors)
    return ()


SPECIAL = {("namespaces", "finalize"): handle}
