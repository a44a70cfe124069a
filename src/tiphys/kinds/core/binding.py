"""Binding: what a scheduler posts to put a pod on a node; nothing is stored under its name."""

from __future__ import annotations

from tiphys.api.kind import Kind

KIND = Kind(kind="Binding", plural="bindings", verbs=("create",), has_generation=False)
