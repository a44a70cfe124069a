"""SelfSubjectReview: who am I? Answered at once, never stored."""

from __future__ import annotations

from tiphys.api.kind import Kind

KIND = Kind(
    group="authentication.k8s.io",
    kind="SelfSubjectReview",
    plural="selfsubjectreviews",
    namespaced=False,
    versions=("v1", "v1beta1", "v1alpha1"),
    verbs=("create",),
    has_generation=False,
)
