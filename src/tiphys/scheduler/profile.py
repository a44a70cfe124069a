"""Which plugins schedule the pods of one schedulerName, in which order and with what weight."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.base.discovery import discover
from tiphys.scheduler.framework import (
    Filter,
    Plugin,
    PostFilter,
    PreFilter,
    PreScore,
    RelativeScore,
    Score,
    StaticFilter,
)

DEFAULT_NAME = "default-scheduler"
ORDER = (
    "NodeUnschedulable",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "PodTopologySpread",
    "InterPodAffinity",
    "DefaultPreemption",
    "NodeResourcesBalancedAllocation",
    "ImageLocality",
)
"""scheduler `apis/config/v1/default_plugins.go`; a plugin that is not named there comes after."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Filters are asked in order, except that those that look at one node only come before those that look at all.

    `percentage` of the nodes are looked for (percentageOfNodesToScore); 0: by the number of nodes.
    """

    name: str
    filters: tuple[Plugin, ...]
    scores: tuple[tuple[Plugin, int], ...]
    post_filters: tuple[Plugin, ...]
    percentage: int = 0


def known_plugins() -> dict[str, Plugin]:
    """Every plugin there is by name, in upstream's order."""
    found = {plugin.NAME: plugin for plugin in discover("tiphys.scheduler.plugins", "PLUGIN")}
    place = {name: number for number, name in enumerate(ORDER)}
    return {name: found[name] for name in sorted(found, key=lambda name: (place.get(name, len(place)), name))}


def default_profile(name: str = DEFAULT_NAME, percentage: int = 0) -> Profile:
    plugins = known_plugins().values()
    return Profile(
        name,
        tuple(plugin for plugin in plugins if filters(plugin)),
        tuple((plugin, weight_of(plugin)) for plugin in plugins if scores(plugin)),
        tuple(plugin for plugin in plugins if post_filters(plugin)),
        percentage,
    )


def weight_of(plugin: Plugin) -> int:
    """The weight it has by default; 0 for one that does not score."""
    return int(getattr(plugin, "WEIGHT", 0))


def filters(plugin: Plugin) -> bool:
    return isinstance(plugin, StaticFilter | Filter | PreFilter)


def scores(plugin: Plugin) -> bool:
    return isinstance(plugin, Score | RelativeScore | PreScore)


def post_filters(plugin: Plugin) -> bool:
    return isinstance(plugin, PostFilter)
