"""Every root kind of every supported version is a KIND, and no two kinds go by one name.

A root kind is a definition with metadata and one group, version and kind of its own.
"""

from collections import Counter

import pytest

from tiphys.api.catalog import Catalog
from tiphys.api.kind import ALL_VERBS, Kind
from tiphys.base.discovery import discover
from tiphys.schema.definitions import SUPPORTED_MINORS, Definitions

KINDS: list[Kind] = discover("tiphys.kinds", "KIND")

BODIES_OF_SUBRESOURCES = {
    ("autoscaling", "Scale"): "…/scale",
    ("policy", "Eviction"): "pods/eviction",
    ("authentication.k8s.io", "TokenRequest"): "serviceaccounts/token",
}
"""Kinds with metadata that no resource is of."""

EVERYTHING = {"api/all": True}


def roots(definitions: Definitions) -> set[tuple[str, str, str]]:
    found = set()
    for schema in definitions.raw.values():
        names = schema.get("x-kubernetes-group-version-kind") or []
        reference = (schema.get("properties") or {}).get("metadata", {}).get("$ref", "")
        if len(names) == 1 and reference.endswith(".ObjectMeta"):
            found.add((names[0]["group"], names[0]["version"], names[0]["kind"]))
    return found


@pytest.mark.parametrize("minor", SUPPORTED_MINORS)
def test_every_root_kind_is_served(minor: int) -> None:
    definitions = Definitions.load(minor)
    catalog = Catalog(definitions, KINDS, EVERYTHING)
    served = {(each.kind.group, each.version, each.kind.kind) for each in catalog.resources()}
    wanted = {root for root in roots(definitions) if (root[0], root[2]) not in BODIES_OF_SUBRESOURCES}
    assert len(wanted) > 60  # so that the test cannot pass by finding nothing
    assert wanted - served == set()


@pytest.mark.parametrize("minor", SUPPORTED_MINORS)
def test_nothing_else_is_served(minor: int) -> None:
    definitions = Definitions.load(minor)
    served = {(r.kind.group, r.version, r.kind.kind) for r in Catalog(definitions, KINDS, EVERYTHING).resources()}
    assert served - roots(definitions) == set()


def test_every_listed_version_was_once_served() -> None:
    known = {root for minor in SUPPORTED_MINORS for root in roots(Definitions.load(minor))}
    listed = {(kind.group, version, kind.kind) for kind in KINDS for version in kind.versions}
    assert listed - known == set()


@pytest.mark.parametrize("minor", SUPPORTED_MINORS)
def test_names_are_unambiguous_within_a_group(minor: int) -> None:
    """Plurals, singulars and short names, as kubectl's mapper needs it."""
    found = Counter(
        (resource.kind.group, name)
        for resource in Catalog(Definitions.load(minor), KINDS, EVERYTHING).resources()
        if resource.version == resource.stored
        for name in {resource.kind.plural, resource.kind.singular or resource.kind.kind.lower()}
        | set(resource.kind.short_names)
    )
    assert [name for name, times in found.items() if times > 1] == []


def test_short_names_belong_to_one_kind() -> None:
    """Across groups too; `events` and `ev` are one kind in two groups."""
    found: dict[str, set[tuple[str, str]]] = {}
    for kind in KINDS:
        for name in kind.short_names:
            found.setdefault(name, set()).add(kind.storage or (kind.group, kind.plural))
    assert {name: kinds for name, kinds in found.items() if len(kinds) > 1} == {}


def test_one_file_is_one_kind() -> None:
    names = Counter((kind.group, kind.kind) for kind in KINDS)
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind.kind}.{kind.group}")
def test_facts_hold_together(kind: Kind) -> None:
    assert kind.storage_version in kind.versions
    assert set(kind.verbs) <= set(ALL_VERBS)
    assert len(kind.subresources) == len({subresource.name for subresource in kind.subresources})
    assert set(kind.convert) <= set(kind.versions)
    assert kind.plural == kind.plural.lower()


@pytest.mark.parametrize(
    "group, version, plural, minor",
    [
        ("", "v1", "namespaces", 25),
        ("autoscaling", "v2beta2", "horizontalpodautoscalers", 25),
        ("storage.k8s.io", "v1beta1", "csistoragecapacities", 26),
        ("flowcontrol.apiserver.k8s.io", "v1beta2", "flowschemas", 28),
        ("flowcontrol.apiserver.k8s.io", "v1beta3", "flowschemas", 31),
        ("resource.k8s.io", "v1", "resourceclaims", 34),
    ],
)
def test_on_by_default(group: str, version: str, plural: str, minor: int) -> None:
    """Upstream's `legacyBetaEnabledByDefaultResources` and `stableAPIGroupVersionsEnabledByDefault`."""
    assert Catalog(Definitions.load(minor), KINDS).find(group, version, plural)


@pytest.mark.parametrize(
    "group, version, plural, minor",
    [
        ("resource.k8s.io", "v1beta1", "resourceclaims", 33),
        ("networking.k8s.io", "v1beta1", "servicecidrs", 31),
        ("internal.apiserver.k8s.io", "v1alpha1", "storageversions", 37),
        ("admissionregistration.k8s.io", "v1beta1", "validatingadmissionpolicies", 30),
    ],
)
def test_off_by_default_and_switched_on(group: str, version: str, plural: str, minor: int) -> None:
    definitions = Definitions.load(minor)
    assert not Catalog(definitions, KINDS).find(group, version, plural)
    for key in (f"{group}/{version}/{plural}", f"{group}/{version}", "api/all"):
        assert Catalog(definitions, KINDS, {key: True}).find(group, version, plural)


def test_the_narrower_switch_wins() -> None:
    config = {"api/all": True, "networking.k8s.io/v1beta1": False, "networking.k8s.io/v1beta1/ipaddresses": True}
    catalog = Catalog(Definitions.load(33), KINDS, config)
    assert not catalog.find("networking.k8s.io", "v1beta1", "servicecidrs")
    assert catalog.find("networking.k8s.io", "v1beta1", "ipaddresses")


def test_events_of_both_groups_are_kept_together() -> None:
    catalog = Catalog(Definitions.load(37), KINDS)
    core, view = catalog.find("", "v1", "events"), catalog.find("events.k8s.io", "v1", "events")
    assert core and view
    assert core.prefix == view.prefix == "/registry/events/"
    assert core.is_stored and not view.is_stored
    assert (core.converter, view.stored_api_version) == (None, "v1")
    assert view.converter


@pytest.mark.parametrize("minor, columns", [(32, ["Age", "Request", "Limit"]), (33, ["Request", "Limit", "Age"])])
def test_columns_of_a_minor_version(minor: int, columns: list[str]) -> None:
    """Kubernetes 1.33 moved the age of quotas to the end (kubernetes/kubernetes pull request 129419)."""
    resource = Catalog(Definitions.load(minor), KINDS).find("", "v1", "resourcequotas")
    assert resource and [column.name for column in resource.kind.columns] == columns
