"""KubeSchedulerConfiguration (`kubescheduler.config.k8s.io/v1`): which profiles there are and what they are made of.

As upstream a profile is the default plugins, with those of `multiPoint` taken away or put in, then for each extension
point those that it takes away or puts before. Plugins that Tiphys does without because there is nothing for them to
do (volumes, claims), or that are no plugin here (queue order, gates, binding), may be named but not taken away where
that would change something. What is not known is refused by its path.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tiphys.scheduler.arguments import at, integer, mapping, mappings, only
from tiphys.scheduler.framework import Configurable, Plugin
from tiphys.scheduler.profile import (
    DEFAULT_NAME,
    Profile,
    default_profile,
    filters,
    known_plugins,
    post_filters,
    scores,
    weight_of,
)

API_VERSION = "kubescheduler.config.k8s.io/v1"
KIND = "KubeSchedulerConfiguration"
OF_THE_PROCESS = ("leaderElection", "clientConnection", "parallelism", "enableProfiling", "enableContentionProfiling")
"""Fields about how kube-scheduler runs, not about what it decides: they are passed over."""
BUILT_IN = ("PrioritySort", "SchedulingGates", "NodeName", "DefaultBinder")
IDLE = ("VolumeRestrictions", "NodeVolumeLimits", "VolumeBinding", "VolumeZone", "DynamicResources")
POINTS: Mapping[str, Callable[[Plugin], bool]] = {
    "preFilter": filters,
    "filter": filters,
    "postFilter": post_filters,
    "preScore": scores,
    "score": scores,
}
OTHER_POINTS = ("preEnqueue", "queueSort", "reserve", "permit", "preBind", "bind", "postBind")


def load(path: Path) -> tuple[Profile, ...]:
    """The profiles of a file. Raises ValueError."""
    try:
        document = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{path}: {error}".replace("\n", " ")) from None
    try:
        return read(document)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def read(document: Any) -> tuple[Profile, ...]:
    """The profiles of a document of any shape. Raises ValueError that names the field."""
    if not isinstance(document, dict) or (document.get("apiVersion"), document.get("kind")) != (API_VERSION, KIND):
        raise ValueError(f"must be kind: {KIND}, apiVersion: {API_VERSION}")
    only(document, ("profiles", "percentageOfNodesToScore", *OF_THE_PROCESS))
    percentage = integer(document, "percentageOfNodesToScore", 0, 0, 100)
    given = mappings(document, "profiles")
    found = [at(f"profiles[{place}]", _profile, entry, percentage) for place, entry in enumerate(given)]
    for place, profile in enumerate(found):
        if profile.name in [other.name for other in found[:place]]:
            raise ValueError(f'profiles[{place}].schedulerName: Duplicate value: "{profile.name}"')
    return tuple(found) or (default_profile(percentage=percentage),)


def _profile(found: Mapping[str, Any], percentage: int) -> Profile:
    only(found, ("schedulerName", "percentageOfNodesToScore", "plugins", "pluginConfig"))
    name = found.get("schedulerName", DEFAULT_NAME)
    if not isinstance(name, str) or not name:
        raise ValueError("schedulerName: must be a string")
    plugins = _configured(known_plugins(), mappings(found, "pluginConfig"))
    sets = mapping(found, "plugins")
    only(sets, ("multiPoint", *POINTS, *OTHER_POINTS))
    for point in OTHER_POINTS:
        at(f"plugins.{point}", _nothing, mapping(sets, point))
    every = {name: weight_of(plugin) for name, plugin in plugins.items()}
    weights = at("plugins.multiPoint", _changed, every, mapping(sets, "multiPoint"), plugins, False)
    chosen = {
        point: at(
            f"plugins.{point}",
            _changed,
            {name: weight for name, weight in weights.items() if fits(plugins[name])},
            mapping(sets, point),
            {name: plugin for name, plugin in plugins.items() if fits(plugin)},
            True,
        )
        for point, fits in POINTS.items()
    }
    return Profile(
        name,
        tuple(plugins[name] for name in chosen["filter"] if name in chosen["preFilter"]),
        tuple((plugins[name], weight or 1) for name, weight in chosen["score"].items() if name in chosen["preScore"]),
        tuple(plugins[name] for name in chosen["postFilter"]),
        integer(found, "percentageOfNodesToScore", percentage, 0, 100),
    )


def _changed(
    weights: Mapping[str, int], change: Mapping[str, Any], known: Mapping[str, Plugin], ahead: bool
) -> dict[str, int]:
    """The plugins with those disabled gone and those enabled in: in place of themselves, else at the end; or, for one
    extension point (`ahead`), before the others."""
    only(change, ("enabled", "disabled"))
    disabled = _names(change, "disabled")
    kept = {name: weight for name, weight in weights.items() if name not in disabled and "*" not in disabled}
    for name in disabled:
        if name in BUILT_IN:
            raise ValueError(f"disabled: {name} cannot be disabled here")
        if name != "*" and name not in known and name not in IDLE:
            raise ValueError(f"disabled: {name!r} is not a plugin of this extension point")
    enabled = dict[str, int]()
    for entry, name in zip(mappings(change, "enabled"), _names(change, "enabled"), strict=True):
        if name not in known and name not in (*BUILT_IN, *IDLE):
            raise ValueError(f"enabled: {name!r} is not a plugin of this extension point")
        if name in known:
            enabled[name] = integer(entry, "weight", 0, 0, 2**31 - 1) or 1
    return (
        {**enabled, **{name: weight for name, weight in kept.items() if name not in enabled}}
        if ahead
        else {
            **kept,
            **enabled,
        }
    )


def _nothing(change: Mapping[str, Any]) -> None:
    """Only plugins that are always there may be named, and only to enable them."""
    only(change, ("enabled", "disabled"))
    for name in _names(change, "enabled"):
        if name not in (*BUILT_IN, *IDLE):
            raise ValueError(f"enabled: {name!r} is not a plugin of this extension point")
    for name in _names(change, "disabled"):
        if name not in IDLE:
            raise ValueError(f"disabled: {name} cannot be disabled here")


def _configured(plugins: Mapping[str, Plugin], given: Sequence[Mapping[str, Any]]) -> dict[str, Plugin]:
    found = dict(plugins)
    for place, entry in enumerate(given):
        where = f"pluginConfig[{place}]"
        at(where, only, entry, ("name", "args"))
        name = str(entry.get("name"))
        plugin = found.get(name)
        if not isinstance(plugin, Configurable):
            raise ValueError(f"{where}.name: {name!r} takes no arguments here")
        found[name] = at(f"{where}.args", plugin.configured, at(where, mapping, entry, "args"))
    return found


def _names(change: Mapping[str, Any], key: str) -> list[str]:
    entries = mappings(change, key)
    for entry in entries:
        only(entry, ("name", "weight"))
    return [str(entry.get("name")) for entry in entries]
