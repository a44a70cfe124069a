"""Versions of another shape than the stored one.

Upstream: pkg/apis/flowcontrol/v1beta2/conversion.go, pkg/apis/resource/v1beta1/conversion.go.
"""

import pytest

from tiphys.api.catalog import Catalog, Resource
from tiphys.api.encoding import to_stored, to_version
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.schema.definitions import Definitions

KINDS = discover("tiphys.kinds", "KIND")
FLOW, DEVICES = "flowcontrol.apiserver.k8s.io", "resource.k8s.io"


def resource(minor: int, group: str, version: str, plural: str) -> Resource:
    found = Catalog(Definitions.load(minor), KINDS, {"api/all": True}).find(group, version, plural)
    assert found
    return found


def level(name: str) -> Document:
    return {"spec": {"type": "Limited", "limited": {name: 7, "limitResponse": {"type": "Reject"}}}}


NEW, OLD = level("nominalConcurrencyShares"), level("assuredConcurrencyShares")
NEW_CLAIM = {"spec": {"devices": {"requests": [{"name": "r", "exactly": {"deviceClassName": "c", "count": 2}}]}}}
OLD_CLAIM = {"spec": {"devices": {"requests": [{"name": "r", "deviceClassName": "c", "count": 2}]}}}
CHOICE = {"spec": {"devices": {"requests": [{"name": "r", "firstAvailable": [{"name": "s"}]}]}}}
NEW_SLICE = {"spec": {"driver": "d", "devices": [{"name": "x", "attributes": {"a": {"int": 1}}}]}}
OLD_SLICE = {"spec": {"driver": "d", "devices": [{"name": "x", "basic": {"attributes": {"a": {"int": 1}}}}]}}


@pytest.mark.parametrize(
    "minor, group, version, plural, kept, shown",
    [
        (28, FLOW, "v1beta2", "prioritylevelconfigurations", NEW, OLD),  # stored as v1beta3
        (29, FLOW, "v1beta3", "prioritylevelconfigurations", NEW, NEW),  # stored as v1
        (25, FLOW, "v1beta1", "prioritylevelconfigurations", OLD, OLD),  # stored as v1beta2
        (34, DEVICES, "v1beta1", "resourceclaims", NEW_CLAIM, OLD_CLAIM),
        (34, DEVICES, "v1beta2", "resourceclaims", NEW_CLAIM, NEW_CLAIM),
        (34, DEVICES, "v1beta1", "resourceclaims", CHOICE, CHOICE),
        (32, DEVICES, "v1alpha3", "resourceclaims", OLD_CLAIM, OLD_CLAIM),  # stored as v1beta1
        (34, DEVICES, "v1beta1", "resourceclaimtemplates", {"spec": NEW_CLAIM}, {"spec": OLD_CLAIM}),
        (34, DEVICES, "v1beta1", "resourceslices", NEW_SLICE, OLD_SLICE),
    ],
)
def test_there_and_back(minor: int, group: str, version: str, plural: str, kept: Document, shown: Document) -> None:
    found = resource(minor, group, version, plural)
    there = to_version(found, dict(kept))
    assert there == {**shown, "apiVersion": f"{group}/{version}"}
    assert to_stored(found, dict(there)) == {**kept, "apiVersion": found.stored_api_version}
