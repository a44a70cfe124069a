"""Patch bodies by their media type, and what they make of a document (apiserver `handlers/patch.go`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tiphys.api.call import Call
from tiphys.api.decode import unsupported_body
from tiphys.api.options import WriteOptions
from tiphys.base.document import Document
from tiphys.base.status import StatusError, not_implemented
from tiphys.schema import json_patch, merge_patch, patch_body, strategic_merge

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"
STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
ACCEPTED = (JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_PATCH)
_READ: dict[str, Any] = {
    JSON_PATCH: patch_body.json_patch,
    MERGE_PATCH: patch_body.merge_patch,
    STRATEGIC_MERGE_PATCH: patch_body.strategic_merge_patch,
}


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch that has been read; `found` is what a strict reader had to say of it."""

    media_type: str
    content: Any
    found: list[str]

    def apply(
        self, call: Call, options: WriteOptions, document: Document, gvk: tuple[str, str, str], definition: str
    ) -> Document:
        """The patched document, checked like a body. `document` may be changed. Raises StatusError 400, 413, 422."""
        strategic = self.media_type == STRATEGIC_MERGE_PATCH
        decoder = call.api.decoder
        if strategic:
            patched = strategic_merge.apply(decoder.definitions, definition, document, self.content)
        elif self.media_type == MERGE_PATCH:
            patched = merge_patch.apply(document, self.content)
        else:
            patched = json_patch.apply(document, self.content)
        checked, warnings = decoder.check_patched(
            patched,
            *gvk,
            validation=options.field_validation,
            strategic_patch=self.content if strategic else None,
            found=self.found,
        )
        call.warnings += warnings
        if not checked.get("metadata"):
            checked["metadata"] = {}
        return checked


def patch_type(call: Call) -> str:
    """The media type, looked at before anything else. Raises StatusError 415, and 501 for server-side apply."""
    media_type = call.request.headers.get("content-type", "").partition(";")[0]
    if media_type not in ACCEPTED:
        raise unsupported_body(ACCEPTED)
    if media_type == APPLY_PATCH:
        raise _no_apply()
    return media_type


def read_patch(call: Call, media_type: str) -> Patch:
    """The request's patch. Raises StatusError 400."""
    content, found = _READ[media_type](call.request.body)
    return Patch(media_type, content, found)


def _no_apply() -> StatusError:
    return not_implemented("server-side apply is not supported yet: use a strategic merge patch (kubectl apply does)")
