"""A few kinds, for a small catalog over real definitions."""

from __future__ import annotations

from tiphys.api.kind import SCALE, STATUS, Column, Kind, Subresource

KINDS = [
    Kind(
        kind="Pod",
        plural="pods",
        short_names=("po",),
        categories=("all",),
        subresources=(
            STATUS,
            Subresource("log", ("get",)),
            Subresource("eviction", ("create",), ("policy", "v1", "Eviction")),
            Subresource("binding", ("create",), ("", "v1", "Binding")),
        ),
        columns=(
            Column("Phase", lambda document, now: document["status"]["phase"], description="What it does."),
            Column("Old", lambda document, now: "old", until=30),
            Column("Age", lambda document, now: f"{now:.0f}s", priority=1),
        ),
        returns_object_on_delete=True,
    ),
    Kind(kind="Namespace", plural="namespaces", namespaced=False, subresources=(STATUS,)),
    Kind(
        group="apps", kind="Deployment", plural="deployments", short_names=("deploy",), subresources=(STATUS, SCALE)
    ),
    Kind(
        group="autoscaling", kind="HorizontalPodAutoscaler", plural="horizontalpodautoscalers", versions=("v1", "v2")
    ),
    Kind(
        group="authorization.k8s.io",
        kind="SelfSubjectAccessReview",
        plural="selfsubjectaccessreviews",
        namespaced=False,
        verbs=("create",),
    ),
]
