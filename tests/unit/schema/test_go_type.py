"""How Go declares fields: api/core/v1/types.go, api/apps/v1/types.go, apimachinery meta/v1/types.go."""

from __future__ import annotations

import pytest

from tiphys.schema.definitions import Definitions
from tiphys.schema.go_type import GoField, declaration

CORE = "io.k8s.api.core.v1."


@pytest.mark.parametrize(
    ("definition", "field", "expected"),
    [
        (CORE + "PodSpec", "containers", GoField("[]v1.Container", pointer=False, always=True)),
        (CORE + "PodSpec", "hostNetwork", GoField("bool", pointer=False, always=False)),
        (CORE + "PodSpec", "priority", GoField("int32", pointer=True, always=False)),
        (CORE + "PodSpec", "affinity", GoField("v1.Affinity", pointer=True, always=False)),
        (CORE + "PodSpec", "overhead", GoField("v1.ResourceList", pointer=False, always=False)),
        (CORE + "Container", "resources", GoField("v1.ResourceRequirements", pointer=False, always=False)),
        (CORE + "Volume", "emptyDir", GoField("v1.EmptyDirVolumeSource", pointer=True, always=False)),
        (CORE + "Secret", "data", GoField("map[string][]uint8", pointer=False, always=False)),
        ("io.k8s.api.apps.v1.DeploymentSpec", "replicas", GoField("int32", pointer=True, always=False)),
        ("io.k8s.api.apps.v1.DeploymentSpec", "selector", GoField("v1.LabelSelector", pointer=True, always=True)),
        ("io.k8s.api.apps.v1.Deployment", "status", GoField("v1.DeploymentStatus", pointer=False, always=False)),
        ("io.k8s.api.rbac.v1.Role", "rules", GoField("[]v1.PolicyRule", pointer=False, always=True)),
    ],
)
def test_declarations(definition: str, field: str, expected: GoField) -> None:
    schema = Definitions.load(37).raw[definition]
    found = declaration(definition, field, schema["properties"][field], field in schema.get("required", ()))
    assert found == expected
