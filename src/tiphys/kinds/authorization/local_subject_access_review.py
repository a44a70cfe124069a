"""LocalSubjectAccessReview: may this user do that in this namespace? Answered at once, never stored."""

from __future__ import annotations

from tiphys.api.kind import Kind

KIND = Kind(
    group="authorization.k8s.io",
    kind="LocalSubjectAccessReview",
    plural="localsubjectaccessreviews",
    verbs=("create",),
    has_generation=False,
)
