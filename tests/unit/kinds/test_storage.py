"""Upstream: ValidatePersistentVolumeClaim*, ValidatePersistentVolume*, ValidateStorageClass*, and their columns."""

import pytest
from tests.unit.kinds.hooks import cells, context, create_errors, defaulted, update_errors

from tiphys.base.document import Document
from tiphys.kinds.core.persistent_volume import KIND as VOLUME
from tiphys.kinds.core.persistent_volume_claim import KIND as CLAIM
from tiphys.kinds.storage.storage_class import KIND as CLASS


def claim(storage: str | None = "1Gi", phase: str = "Pending", capacity: str = "", **spec: object) -> Document:
    requests = {"requests": {"storage": storage}} if storage else {}
    status = {"phase": phase, **({"capacity": {"storage": capacity}} if capacity else {})}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": requests, **spec}
    return {"metadata": {"name": "c"}, "spec": spec, "status": status}


def volume(**spec: object) -> Document:
    base = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/x"}}
    return {"metadata": {"name": "v"}, "spec": {**base, **spec}}


MODES = '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'


@pytest.mark.parametrize(
    "document, errors",
    [
        (claim(), []),
        (claim(accessModes=[]), ["spec.accessModes: Required value: at least 1 access mode is required"]),
        (claim(accessModes=["Any"]), [f'spec.accessModes: Unsupported value: "Any": supported values: {MODES}']),
        (
            claim(accessModes=["ReadWriteOnce", "ReadWriteOncePod"]),
            ["spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
        ),
        (claim(None), ["spec.resources[storage]: Required value"]),
        (claim("0"), ['spec.resources[storage]: Invalid value: "0": must be greater than zero']),
        (
            claim(volumeMode="Tape"),
            ['spec.volumeMode: Unsupported value: "Tape": supported values: "Block", "Filesystem"'],
        ),
    ],
)
def test_claims(document: Document, errors: list[str]) -> None:
    assert create_errors(CLAIM, document) == errors


FIXED = "spec: Forbidden: spec is immutable after creation except resources.requests"


@pytest.mark.parametrize(
    "old, new, minor, errors",
    [
        (claim(), claim(volumeName="v"), 37, []),
        (claim(phase="Bound"), claim("2Gi", phase="Bound"), 37, []),
        (claim(), claim("2Gi"), 37, [f"{FIXED} and volumeAttributesClassName for bound claims"]),
        (claim(), claim("2Gi"), 28, [f"{FIXED} for bound claims"]),
        (
            claim("2Gi", "Bound", "2Gi"),
            claim("1Gi", "Bound", "2Gi"),
            37,
            ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"],
        ),
        (claim("3Gi", "Bound", "1Gi"), claim("2Gi", "Bound", "1Gi"), 37, []),
        (
            claim("3Gi", "Bound", "1Gi"),
            claim("2Gi", "Bound", "1Gi"),
            31,
            ["spec.resources.requests.storage: Forbidden: field can not be less than previous value"],
        ),
    ],
)
def test_changed_claims(old: Document, new: Document, minor: int, errors: list[str]) -> None:
    """An update keeps the old status, so both sides of a case have the same."""
    before, after = defaulted(CLAIM, old, minor), defaulted(CLAIM, new, minor)
    assert CLAIM.validate_update
    assert [str(error) for error in CLAIM.validate_update(after, before, context(minor))] == errors


def test_claims_are_made_pending() -> None:
    document = defaulted(CLAIM, claim(phase="Bound", dataSource={"kind": "PersistentVolumeClaim", "name": "o"}))
    assert CLAIM.prepare_create
    CLAIM.prepare_create(document, context())
    assert document["status"] == {"phase": "Pending"} and document["spec"]["volumeMode"] == "Filesystem"
    assert document["spec"]["dataSourceRef"] == {"kind": "PersistentVolumeClaim", "name": "o"}


def test_columns_of_claims() -> None:
    bound = claim(phase="Bound", capacity="1Gi", volumeName="v", storageClassName="fast")
    bound["status"]["accessModes"] = ["ReadOnlyMany", "ReadWriteOnce"]
    shown = cells(CLAIM, bound)
    assert [shown[name] for name in ("Status", "Volume", "Capacity", "Access Modes", "StorageClass")] == [
        "Bound",
        "v",
        "1Gi",
        "RWO,ROX",
        "fast",
    ]
    assert shown["VolumeAttributesClass"] == "<unset>"
    assert cells(CLAIM, claim())["Capacity"] == ""
    assert "VolumeAttributesClass" not in {column.name for column in CLAIM.columns_at(28)}


@pytest.mark.parametrize(
    "document, errors",
    [
        (volume(), []),
        (volume(accessModes=[]), ["spec.accessModes: Required value"]),
        (
            volume(capacity={}),
            ["spec.capacity: Required value", 'spec.capacity: Unsupported value: {}: supported values: "storage"'],
        ),
        (
            volume(capacity={"storage": "0"}),
            ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
        ),
        (volume(hostPath=None), ["spec: Required value: must specify a volume type"]),
        (volume(local={"path": "/y"}), ["spec.local: Forbidden: may not specify more than 1 volume type"]),
        (
            volume(persistentVolumeReclaimPolicy="Burn"),
            [
                'spec.persistentVolumeReclaimPolicy: Unsupported value: "Burn": supported values: "Delete", '
                '"Recycle", "Retain"'
            ],
        ),
    ],
)
def test_volumes(document: Document, errors: list[str]) -> None:
    assert create_errors(VOLUME, document) == errors


def test_classes() -> None:
    plain: Document = {"metadata": {"name": "fast"}, "provisioner": "example.com/disk"}
    made = defaulted(CLASS, plain)
    assert (made["reclaimPolicy"], made["volumeBindingMode"]) == ("Delete", "Immediate")
    assert create_errors(CLASS, {"metadata": {}}) == ["provisioner: Required value"]
    assert update_errors(CLASS, plain, {**plain, "provisioner": "other.com/disk"}) == [
        "provisioner: Forbidden: updates to provisioner are forbidden."
    ]
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"}
    assert (
        cells(CLASS, {**plain, "metadata": {"name": "fast", "annotations": annotations}})["Name"] == "fast (default)"
    )
