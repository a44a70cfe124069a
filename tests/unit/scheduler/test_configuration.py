"""KubeSchedulerConfiguration. Merging: scheduler `apis/config/v1/default_plugins.go`, `framework/runtime`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.unit.scheduler.world import World, node, pod

from tiphys.scheduler.configuration import load, read
from tiphys.scheduler.profile import ORDER, Profile, default_profile


def _read(**fields: Any) -> tuple[Profile, ...]:
    return read({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration", **fields})


def _one(**fields: Any) -> Profile:
    return _read(profiles=[fields])[0]


def _weights(profile: Profile) -> dict[str, int]:
    return {plugin.NAME: weight for plugin, weight in profile.scores}


def test_nothing_given_is_the_default() -> None:
    """Weights: default_plugins.go."""
    (profile,) = _read()
    assert (profile.name, profile) == ("default-scheduler", default_profile())
    assert [plugin.NAME for plugin in profile.filters] == list(ORDER[:7])
    assert _weights(profile) == {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }


def test_plugins_go_and_come_back_with_another_weight() -> None:
    profile = _one(
        plugins={
            "score": {"disabled": [{"name": "*"}], "enabled": [{"name": "NodeResourcesFit", "weight": 5}]},
            "multiPoint": {"disabled": [{"name": "DefaultPreemption"}, {"name": "TaintToleration"}]},
        }
    )
    assert _weights(profile) == {"NodeResourcesFit": 5}
    assert "TaintToleration" not in [plugin.NAME for plugin in profile.filters]
    assert profile.post_filters == ()


def test_profiles_and_percentages() -> None:
    first, second = _read(
        percentageOfNodesToScore=40, profiles=[{}, {"schedulerName": "b", "percentageOfNodesToScore": 70}]
    )
    assert [(each.name, each.percentage) for each in (first, second)] == [("default-scheduler", 40), ("b", 70)]


def _strategy(kind: str, **more: Any) -> Profile:
    args = {"scoringStrategy": {"type": kind, **more}}
    only_fit = {"disabled": [{"name": "*"}], "enabled": [{"name": "NodeResourcesFit"}]}
    return _one(plugins={"score": only_fit}, pluginConfig=[{"name": "NodeResourcesFit", "args": args}])


SHAPE = [{"utilization": 0, "score": 0}, {"utilization": 50, "score": 10}, {"utilization": 100, "score": 0}]


@pytest.mark.parametrize(
    ("profile", "wanted"),
    [
        (_strategy("LeastAllocated"), "empty"),
        (_strategy("MostAllocated"), "full"),
        (_strategy("RequestedToCapacityRatio", requestedToCapacityRatio={"shape": SHAPE}), "half"),
    ],
)
def test_scoring_strategies(profile: Profile, wanted: str) -> None:
    world = World(node("empty"), node("half"), node("full"), profile=profile)
    world.cache.add_pod(pod({"cpu": "1900m", "memory": "4000Mi"}), "half")
    world.cache.add_pod(pod({"cpu": "3500m", "memory": "7000Mi"}), "full")
    assert world.place(pod({"cpu": "100m", "memory": "100Mi"})) == wanted


def test_preemption_may_be_off() -> None:
    profile = _one(plugins={"postFilter": {"disabled": [{"name": "DefaultPreemption"}]}})
    world = World(node("a", cpu="1"), profile=profile)
    assert world.why(pod({"cpu": "2"})) == "0/1 nodes are available: 1 Insufficient cpu."


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"extenders": []}, "extenders: is not supported"),
        ({"percentageOfNodesToScore": 101}, "percentageOfNodesToScore: must be a whole number from 0 to 100"),
        ({"profiles": 1}, "profiles: must be a list of mappings"),
        ({"profiles": [{}, {}]}, 'profiles[1].schedulerName: Duplicate value: "default-scheduler"'),
        ({"profiles": [{"plugins": {"score": {"enabled": [{"name": "X"}]}}}]}, "plugins.score.enabled: 'X' is not"),
        (
            {"profiles": [{"plugins": {"queueSort": {"disabled": [{"name": "PrioritySort"}]}}}]},
            "profiles[0].plugins.queueSort.disabled: PrioritySort cannot be disabled here",
        ),
        (
            {"profiles": [{"pluginConfig": [{"name": "NodeResourcesFit", "args": {"ignoredResources": []}}]}]},
            "profiles[0].pluginConfig[0].args.ignoredResources: is not supported",
        ),
        (
            {"profiles": [{"pluginConfig": [{"name": "NodeAffinity", "args": {}}]}]},
            "profiles[0].pluginConfig[0].name: 'NodeAffinity' takes no arguments here",
        ),
    ],
)
def test_what_is_not_understood_is_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        _read(**fields)
    assert words in str(caught.value)


def test_a_file_is_named_in_its_errors(tmp_path: Path) -> None:
    file = tmp_path / "scheduler.yaml"
    for text in (": :", "[]", "kind: KubeSchedulerConfiguration"):
        file.write_text(text)
        with pytest.raises(ValueError, match=r"scheduler\.yaml: "):
            load(file)
    with pytest.raises(ValueError, match="No such file"):
        load(tmp_path / "none.yaml")


def test_images_attract() -> None:
    """image_locality.go: the larger the image, the higher; an image without a tag is `:latest`."""
    with_image = node("b")
    with_image["status"]["images"] = [{"names": ["registry/big:latest"], "sizeBytes": 900 * 1024 * 1024}]
    world = World(node("a"), with_image, node("c"))
    assert {world.place(pod(image="registry/big")) for _ in range(3)} == {"b"}
    world.cache.set_node(node("b"))
    assert world.cache.images == {}
