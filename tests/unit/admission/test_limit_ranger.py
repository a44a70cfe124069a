"""LimitRanger. Messages: recorded in the walkthrough, or kubernetes `limitranger/admission.go` and its test."""

from __future__ import annotations

from typing import Any

import pytest
from admission_fakes import FakeCluster, attributes, container, environment, pod

from tiphys.admission.limit_ranger import ANNOTATION, LimitRanger
from tiphys.base.status import StatusError

# The walkthrough's case3-LimitRange.yaml.
CONTAINER = {
    "type": "Container",
    "max": {"cpu": "2", "memory": "2Gi"},
    "min": {"cpu": "500m", "memory": "512Mi"},
    "default": {"cpu": "500m", "memory": "512Mi"},
    "defaultRequest": {"cpu": "500m", "memory": "512Mi"},
    "maxLimitRequestRatio": {"cpu": "2", "memory": "2"},
}
POD = {"type": "Pod", "max": {"cpu": "4", "memory": "4Gi"}}
CLAIM = {"type": "PersistentVolumeClaim", "max": {"storage": "50Gi"}, "min": {"storage": "1Gi"}}


def plugin(*items: Any) -> LimitRanger:
    cluster = FakeCluster()
    limits = list(items) or [CONTAINER, POD, CLAIM]
    document = {"metadata": {"name": "limits", "namespace": "erp"}, "spec": {"limits": limits}}
    cluster.put(document, plural="limitranges")
    return LimitRanger(environment(cluster))


def both(cpu: str, memory: str) -> dict[str, dict[str, str]]:
    amounts = {"cpu": cpu, "memory": memory}
    return {"requests": amounts, "limits": amounts}


async def complaint(ranger: LimitRanger, request: Any) -> str:
    with pytest.raises(StatusError) as refusal:
        await ranger.validate(request)
    assert refusal.value.code == 403
    head, _, text = refusal.value.message.partition(" is forbidden: ")
    assert head == f'{request.resource} "{request.object["metadata"]["name"]}"'
    return text


async def test_walkthrough_ratio() -> None:
    """The walkthrough's case4."""
    wordpress = container(requests={"cpu": "500m", "memory": "512Mi"}, limits={"cpu": "2", "memory": "1Gi"})
    text = await complaint(plugin(), attributes(pod(wordpress)))
    assert text == "cpu max limit to request ratio per Container is 2, but provided ratio is 4.000000"


async def test_walkthrough_cpu() -> None:
    """The walkthrough's case5, as recorded at line 884 of the notes."""
    document = pod(container("a", **both("4", "1Gi")), container("b", **both("1", "1Gi")))
    assert await complaint(plugin(), attributes(document)) == (
        "[maximum cpu usage per Container is 2, but limit is 4, maximum cpu usage per Pod is 4, but limit is 5]"
    )


async def test_walkthrough_memory() -> None:
    """The walkthrough's case5, as recorded at line 1095: the sum is printed plainly."""
    document = pod(container("a", **both("1", "8Gi")), container("b", **both("1", "1Gi")))
    assert await complaint(plugin(), attributes(document)) == (
        "[maximum memory usage per Container is 2Gi, but limit is 8Gi, "
        "maximum memory usage per Pod is 4Gi, but limit is 9663676416]"
    )


async def test_defaults() -> None:
    document = pod(
        container("web"),
        {"name": "bare"},
        container("half", requests={"cpu": "1"}, limits={"cpu": "1", "memory": "1Gi"}),
        initContainers=[{"name": "init"}],
    )
    await plugin().admit(attributes(document))
    full = both("500m", "512Mi")
    assert [each["resources"] for each in document["spec"]["containers"]] == [
        full,
        full,
        {"requests": {"cpu": "1", "memory": "512Mi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
    ]
    assert document["spec"]["initContainers"][0]["resources"] == full
    assert document["metadata"]["annotations"][ANNOTATION] == (
        "LimitRanger plugin set: cpu, memory request for container web; cpu, memory limit for container web; "
        "cpu, memory request for container bare; cpu, memory limit for container bare; "
        "memory request for container half; "
        "cpu, memory request for init container init; cpu, memory limit for init container init"
    )


async def test_nothing_to_set() -> None:
    document = pod(container(**both("1", "1Gi")))
    await plugin().admit(attributes(document))
    assert "annotations" not in document["metadata"]
    document = pod({"name": "bare"})
    await plugin(POD).admit(attributes(document))
    assert document == pod({"name": "bare"})


async def test_defaults_are_not_shared() -> None:
    """Ours: what is put into a pod is the pod's own."""
    ranger = plugin()
    first, second = pod({"name": "a"}), pod({"name": "a"})
    await ranger.admit(attributes(first))
    first["spec"]["containers"][0]["resources"]["limits"]["cpu"] = "9"
    await ranger.admit(attributes(second))
    assert second["spec"]["containers"][0]["resources"]["limits"]["cpu"] == "500m"


def item(kind: str = "Container", **bounds: dict[str, str]) -> dict[str, Any]:
    return {"type": kind, **bounds}


MESSAGES = [
    (item(min={"cpu": "1"}), container(), "minimum cpu usage per Container is 1.  No request is specified"),
    (item(min={"cpu": "1"}), container(requests={"cpu": "999m"}),
     "minimum cpu usage per Container is 1, but request is 999m"),
    (item(min={"cpu": "1"}), container(requests={"cpu": "1"}, limits={"cpu": "500m"}),
     "minimum cpu usage per Container is 1, but limit is 500m"),
    (item(max={"memory": "1Gi"}), container(), "maximum memory usage per Container is 1Gi.  No limit is specified"),
    (item(max={"cpu": "1"}), container(requests={"cpu": "2"}, limits={"cpu": "1"}),
     "maximum cpu usage per Container is 1, but request is 2"),
    (item(max={"cpu": "1"}), container(limits={"cpu": "1000000001n"}),
     "maximum cpu usage per Container is 1, but limit is 1000000001n"),
    (item(maxLimitRequestRatio={"cpu": "1500m"}), container(),
     "cpu max limit to request ratio per Container is 1500m, but no request is specified or request is 0"),
    (item(maxLimitRequestRatio={"cpu": "2"}), container(requests={"cpu": "1"}),
     "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0"),
    (item(maxLimitRequestRatio={"cpu": "1500m"}), container(requests={"cpu": "1"}, limits={"cpu": "1510m"}),
     "cpu max limit to request ratio per Container is 1500m, but provided ratio is 1.510000"),
    (item(maxLimitRequestRatio={"cpu": "2"}), container(requests={"cpu": "300m"}, limits={"cpu": "1"}),
     "cpu max limit to request ratio per Container is 2, but provided ratio is 3.333333"),
    (item("Pod", max={"cpu": "1"}), container(), "maximum cpu usage per Pod is 1.  No limit is specified"),
    (item("Pod", maxLimitRequestRatio={"cpu": "2"}), container(requests={"cpu": "1"}, limits={"cpu": "3"}),
     "cpu max limit to request ratio per Pod is 2, but provided ratio is 3.000000"),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "given", "text"), MESSAGES)
async def test_messages(limits: dict[str, Any], given: dict[str, Any], text: str) -> None:
    assert await complaint(plugin(limits), attributes(pod(given))) == text


@pytest.mark.parametrize(
    ("limits", "given"),
    [
        (item(min={"cpu": "1"}, max={"cpu": "1"}), container(requests={"cpu": "1"}, limits={"cpu": "1000m"})),
        (item(maxLimitRequestRatio={"cpu": "1500m"}), container(requests={"cpu": "2"}, limits={"cpu": "3"})),
        (item("Pod", max={"memory": "1Gi"}), container(limits={"memory": "1Gi"})),
        (item("PersistentVolumeClaim", min={"storage": "1Gi"}), container()),
        (item("Other", min={"cpu": "9"}), container()),
    ],
)
async def test_within_bounds(limits: dict[str, Any], given: dict[str, Any]) -> None:
    await plugin(limits).validate(attributes(pod(given)))


async def test_the_same_error_is_told_once() -> None:
    document = pod(container("a"), container("b"), initContainers=[container("i")])
    text = await complaint(plugin(item(max={"cpu": "1"})), attributes(document))
    assert text == "maximum cpu usage per Container is 1.  No limit is specified"


async def test_init_containers_count_where_they_are_the_most() -> None:
    limits = {"memory": "8Gi"}
    document = pod(container("a", limits={"memory": "1Gi"}), initContainers=[container("i", limits=limits)])
    text = await complaint(plugin(POD | {"max": {"memory": "4Gi"}}), attributes(document))
    assert text == "maximum memory usage per Pod is 4Gi, but limit is 8Gi"
    document["spec"]["initContainers"][0]["restartPolicy"] = "Always"
    text = await complaint(plugin(POD | {"max": {"memory": "4Gi"}}), attributes(document))
    assert text == "maximum memory usage per Pod is 4Gi, but limit is 9Gi"


def claim(storage: str) -> dict[str, Any]:
    return {"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": storage}}}}


@pytest.mark.parametrize(
    ("storage", "text"),
    [
        ("60Gi", "maximum storage usage per PersistentVolumeClaim is 50Gi, but request is 60Gi"),
        ("500Mi", "minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi"),
    ],
)
async def test_claims(storage: str, text: str) -> None:
    assert await complaint(plugin(), attributes(claim(storage), "persistentvolumeclaims")) == text
    await plugin().validate(attributes(claim("10Gi"), "persistentvolumeclaims"))


async def test_claims_that_already_stand_so() -> None:
    """Newest upstream: a stored request is not checked again, a changed one is."""
    request = attributes(claim("60Gi"), "persistentvolumeclaims", operation="UPDATE", old=claim("60Gi"))
    await plugin().validate(request)
    request = attributes(claim("70Gi"), "persistentvolumeclaims", operation="UPDATE", old=claim("60Gi"))
    assert "but request is 70Gi" in await complaint(plugin(), request)


async def test_what_is_not_limited() -> None:
    bad = pod(container(limits={"cpu": "9"}))
    await plugin().validate(attributes(bad, operation="UPDATE", old=bad))
    await plugin().validate(attributes(bad, subresource="binding"))
    await plugin().validate(attributes(bad, namespace="other"))
    await plugin().validate(attributes({}, "services"))
    going = {**bad, "metadata": {"name": "p", "deletionTimestamp": "2023-11-14T22:12:00Z"}}
    await plugin().validate(attributes(bad, operation="UPDATE", subresource="resize", old=going))


async def test_resize_is_limited_in_what_it_changes() -> None:
    """Newest upstream: validateContainerLimits skips what is unchanged."""
    ranger = plugin(item(max={"cpu": "1", "memory": "1Gi"}))
    old = pod(container(limits={"cpu": "3", "memory": "1Gi"}))
    new = pod(container(limits={"cpu": "3", "memory": "2Gi"}))
    request = attributes(new, operation="UPDATE", subresource="resize", old=old)
    assert await complaint(ranger, request) == "maximum memory usage per Container is 1Gi, but limit is 2Gi"
