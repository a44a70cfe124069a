"""Validation of lists as long as a body can hold takes time in proportion to them (ours).

Twenty thousand items: some tenths of a second where each is looked at once, minutes where each is compared with all.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from tests.unit.kinds.hooks import context

from tiphys.api import object_meta
from tiphys.base.document import Document
from tiphys.base.label_selector import from_document
from tiphys.kinds.core import node, pod, resource_quota, service
from tiphys.kinds.shapes import toleration_validation

MANY = range(20_000)
SECONDS = 2.0


def _pod(**spec: Any) -> Document:
    found: Document = {"metadata": {"name": "a", "namespace": "default"}, "spec": {"containers": [], **spec}}
    pod.KIND.default and pod.KIND.default(found, context())
    return found


def _constraints() -> Any:
    spread = {"maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    found = _pod(topologySpreadConstraints=[{**spread, "topologyKey": f"k{index}"} for index in MANY])
    return pod.KIND.validate and pod.KIND.validate(found, context())


def _tolerations() -> Any:
    tolerations = [{"key": f"k{index}", "operator": "Exists"} for index in MANY]
    errors: list[Any] = []
    toleration_validation.only_added_tolerations(tolerations, tolerations, "spec.tolerations", errors)
    return errors


def _addresses() -> Any:
    addresses = [{"type": "InternalIP", "address": f"a{index}"} for index in MANY]
    found: Document = {"metadata": {"name": "a"}, "spec": {}, "status": {"addresses": addresses}}
    return node.validate_update(found, found, context())


def _pod_cidrs() -> Any:
    cidrs = [f"10.{index // 250}.{index % 250}.0/24" for index in MANY]
    return node.validate({"metadata": {"name": "a"}, "spec": {"podCIDRs": cidrs}}, context())


def _families() -> Any:
    found: Document = {"metadata": {"name": "a"}, "spec": {"ipFamilies": [f"f{index}" for index in MANY]}}
    return service.KIND.validate and service.KIND.validate(found, context())


def _scopes() -> Any:
    expressions = [{"scopeName": "PriorityClass", "operator": "In", "values": [f"p{index}"]} for index in MANY]
    spec = {"scopeSelector": {"matchExpressions": expressions}, "hard": {"pods": "1"}}
    found: Document = {"metadata": {"name": "a", "namespace": "default"}, "spec": spec}
    return resource_quota.KIND.validate and resource_quota.KIND.validate(found, context())


def _owners() -> Any:
    references = [{"apiVersion": "v1", "kind": "K", "name": "n", "uid": f"{index}"} for index in MANY]
    return object_meta.dedup_owner_references({"ownerReferences": [*references, references[0]]})


def _selector() -> Any:
    return from_document({"matchLabels": {f"k{index}": "v" for index in MANY}})


@pytest.mark.parametrize(
    "work", [_constraints, _tolerations, _addresses, _pod_cidrs, _families, _scopes, _owners, _selector]
)
def test_cost_is_in_proportion(work: Any) -> None:
    began = time.process_time()
    assert work() is not None
    assert time.process_time() - began < SECONDS


def test_repeated_owner_references_are_told_once() -> None:
    owner = {"apiVersion": "v1", "kind": "K", "name": "n", "uid": "1", "controller": True}
    metadata: Document = {"ownerReferences": [owner, dict(owner), {**owner, "uid": "2"}]}
    assert object_meta.dedup_owner_references(metadata) == ["1"]
    assert metadata["ownerReferences"] == [owner, {**owner, "uid": "2"}]
