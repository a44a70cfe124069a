"""The facts are upstream's release notes: which versions serve which kinds."""

from __future__ import annotations

import pytest

from tiphys.schema.definitions import SUPPORTED_MINORS, Definitions


@pytest.mark.parametrize("minor", SUPPORTED_MINORS)
def test_every_supported_version_loads_and_has_the_core_kinds(minor: int) -> None:
    definitions = Definitions.load(minor)
    assert definitions.git_version == f"v1.{minor}.0"
    assert definitions.definition("", "v1", "Pod") == "io.k8s.api.core.v1.Pod"
    assert definitions.definition("apps", "v1", "Deployment") in definitions.raw
    assert ("apps", "v1", "Deployment") in definitions.kinds()
    assert definitions.kinds() == sorted(definitions.kinds())


def test_versions_differ_as_upstreams_deprecation_guide_says() -> None:
    autoscaling = ("autoscaling", "v2beta2", "HorizontalPodAutoscaler")  # removed in 1.26
    assert Definitions.load(25).definition(*autoscaling)
    assert Definitions.load(26).definition(*autoscaling) is None


def test_a_version_is_parsed_once() -> None:
    assert Definitions.load(37) is Definitions.load(37)


@pytest.mark.parametrize("minor", [24, 38, -1])
def test_an_unknown_version_is_refused_in_one_sentence(minor: int) -> None:
    with pytest.raises(ValueError, match=rf"^Kubernetes 1.{minor} is not supported: choose .* 1.25 to 1.37$"):
        Definitions.load(minor)
