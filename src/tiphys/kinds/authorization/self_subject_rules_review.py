"""SelfSubjectRulesReview: what may I do in a namespace? Answered at once, never stored."""

from __future__ import annotations

from tiphys.api.kind import Kind

KIND = Kind(
    group="authorization.k8s.io",
    kind="SelfSubjectRulesReview",
    plural="selfsubjectrulesreviews",
    namespaced=False,
    verbs=("create",),
    has_generation=False,
)
