"""TokenReview: whose token is this? Answered at once, never stored."""

from __future__ import annotations

from tiphys.api.kind import Kind

KIND = Kind(
    group="authentication.k8s.io",
    kind="TokenReview",
    plural="tokenreviews",
    namespaced=False,
    versions=("v1",),
    verbs=("create",),
    has_generation=False,
)
