"""SubjectAccessReview: may this user do that? Answered at once, never stored."""

from __future__ import annotations

from tiphys.api.kind import Kind

KIND = Kind(
    group="authorization.k8s.io",
    kind="SubjectAccessReview",
    plural="subjectaccessreviews",
    namespaced=False,
    verbs=("create",),
    has_generation=False,
)
