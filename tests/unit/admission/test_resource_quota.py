"""ResourceQuota. Messages: recorded in the walkthrough, or apiserver `plugin/resourcequota` and its tests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from admission_fakes import FakeCluster, attributes, container, environment, pod
from hypothesis import given
from hypothesis import strategies as st

from tiphys.admission.resource_quota import ResourceQuota
from tiphys.base.document import Document
from tiphys.base.quantity import from_milli
from tiphys.base.status import StatusError, internal_error

Amounts = dict[str, str]


def quota(hard: Amounts, used: Amounts | None, name: str = "quota-erp", **spec: Any) -> Document:
    status = {} if used is None else {"hard": hard, "used": used}
    return {"metadata": {"name": name, "namespace": "erp"}, "spec": {"hard": hard, **spec}, "status": status}


def cluster_with(*quotas: Document) -> FakeCluster:
    cluster = FakeCluster()
    for each in quotas:
        cluster.put(each, plural="resourcequotas")
    return cluster


def used(cluster: FakeCluster, name: str = "quota-erp") -> Amounts:
    found: Amounts = cluster.objects["", "resourcequotas", "erp", name]["status"]["used"]
    return found


def small(cpu: str = "1", name: str = "p", **spec: Any) -> Document:
    return pod(container(requests={"cpu": cpu}, limits={"cpu": cpu}), name=name, **spec)


async def refusal(plugin: ResourceQuota, request: Any) -> str:
    with pytest.raises(StatusError) as refused:
        await plugin.validate(request)
    assert refused.value.code == 403 and refused.value.reason == "Forbidden"
    return refused.value.message


async def test_walkthrough_pods() -> None:
    """The walkthrough's case7: a quota lowered below what is used."""
    cluster = cluster_with(quota({"pods": "2"}, {"pods": "22"}))
    assert await refusal(ResourceQuota(environment(cluster)), attributes(small())) == (
        'pods "p" is forbidden: exceeded quota: quota-erp, requested: pods=1, used: pods=22, limited: pods=2'
    )
    assert cluster.writes == 0


async def test_walkthrough_cpu() -> None:
    """The walkthrough's case8."""
    hard = {"limits.cpu": "1", "limits.memory": "100Gi", "pods": "2", "requests.cpu": "1", "services": "100"}
    held = {"limits.cpu": "3900m", "limits.memory": "2304Mi", "pods": "22", "requests.cpu": "3900m", "services": "15"}
    cluster = cluster_with(quota(hard, held))
    limits = {"cpu": "1", "memory": "512Mi"}
    document = pod(container(requests=limits, limits=limits), name="erp-cpu-limit-deployment-687d9c9987-tbhth")
    assert await refusal(ResourceQuota(environment(cluster)), attributes(document)) == (
        'pods "erp-cpu-limit-deployment-687d9c9987-tbhth" is forbidden: exceeded quota: quota-erp, '
        "requested: limits.cpu=1,pods=1,requests.cpu=1, used: limits.cpu=3900m,pods=22,requests.cpu=3900m, "
        "limited: limits.cpu=1,pods=2,requests.cpu=1"
    )


async def test_what_is_admitted_is_charged() -> None:
    hard = {"pods": "5", "requests.memory": "10Gi", "requests.nvidia.com/gpu": "4"}
    held = {"pods": "0", "requests.memory": "512Mi", "requests.nvidia.com/gpu": "0"}
    cluster = cluster_with(quota(hard, held))
    plugin = ResourceQuota(environment(cluster))
    document = pod(container(requests={"memory": "512Mi", "nvidia.com/gpu": "1"}))
    await plugin.validate(attributes(document))
    assert used(cluster) == {"pods": "1", "requests.memory": "1Gi", "requests.nvidia.com/gpu": "1"}
    assert cluster.writes == 1
    assert cluster.objects["", "resourcequotas", "erp", "quota-erp"]["status"]["hard"] == hard


async def test_dry_run_is_checked_and_not_charged() -> None:
    cluster = cluster_with(quota({"pods": "1"}, {"pods": "0"}))
    plugin = ResourceQuota(environment(cluster))
    await plugin.validate(attributes(small(), dry_run=True))
    assert used(cluster) == {"pods": "0"} and cluster.writes == 0
    await plugin.validate(attributes(small()))
    assert "exceeded quota" in await refusal(plugin, attributes(small(), dry_run=True))


async def test_must_specify() -> None:
    hard = {"limits.cpu": "9", "requests.memory": "9Gi"}
    cluster = cluster_with(quota(hard, dict.fromkeys(hard, "0")))
    document = pod(container("b"), container("a"))
    assert await refusal(ResourceQuota(environment(cluster)), attributes(document)) == (
        'pods "p" is forbidden: failed quota: quota-erp: must specify limits.cpu for: a,b; requests.memory for: a,b'
    )


async def test_status_unknown() -> None:
    cluster = cluster_with(quota({"pods": "9", "cpu": "9"}, {"pods": "0"}))
    assert await refusal(ResourceQuota(environment(cluster)), attributes(small())) == (
        'pods "p" is forbidden: status unknown for quota: quota-erp, resources: cpu,pods'
    )


async def test_a_quota_without_status_limits_nothing_yet() -> None:
    """Upstream matches quotas by `status.hard` (generic.Matches)."""
    cluster = cluster_with(quota({"pods": "0"}, None))
    await ResourceQuota(environment(cluster)).validate(attributes(small()))
    assert cluster.writes == 0


async def test_negative_usage() -> None:
    cluster = cluster_with(quota({"pods": "9"}, {"pods": "0"}))
    assert await refusal(ResourceQuota(environment(cluster)), attributes(small("-1"))) == (
        'pods "p" is forbidden: quota usage is negative for resource(s): cpu,limits.cpu,requests.cpu'
    )


async def test_scopes() -> None:
    terminating = quota({"pods": "0"}, {"pods": "0"}, "terminating", scopes=["Terminating"])
    cluster = cluster_with(terminating)
    plugin = ResourceQuota(environment(cluster))
    await plugin.validate(attributes(small()))
    text = await refusal(plugin, attributes(small(activeDeadlineSeconds=1)))
    assert "exceeded quota: terminating, requested: pods=1, used: pods=0, limited: pods=0" in text


async def test_every_quota_must_agree() -> None:
    """A refusal by one charges none."""
    cluster = cluster_with(quota({"pods": "9"}, {"pods": "0"}, "a"), quota({"pods": "0"}, {"pods": "0"}, "b"))
    assert "exceeded quota: b" in await refusal(ResourceQuota(environment(cluster)), attributes(small()))
    assert used(cluster, "a") == {"pods": "0"} and cluster.writes == 0


def service(kind: str, ports: int = 1) -> Document:
    spec = {"type": kind, "ports": [{"port": port + 1} for port in range(ports)]}
    return {"metadata": {"name": "s", "namespace": "erp", "resourceVersion": "1"}, "spec": spec}


async def test_updates_are_charged_by_what_grew() -> None:
    hard = {"services": "1", "services.nodeports": "2", "services.loadbalancers": "0"}
    held = {"services": "1", "services.nodeports": "1", "services.loadbalancers": "0"}
    cluster = cluster_with(quota(hard, held))
    plugin = ResourceQuota(environment(cluster))

    def update(new: Document, old: Document) -> Any:
        return attributes(new, "services", operation="UPDATE", old=old)

    await plugin.validate(update(service("NodePort", 2), service("NodePort", 1)))
    assert used(cluster)["services.nodeports"] == "2"
    await plugin.validate(update(service("ClusterIP"), service("NodePort", 2)))
    assert used(cluster)["services.nodeports"] == "2", "what shrinks is given back by the controller"
    assert await refusal(plugin, update(service("LoadBalancer"), service("NodePort"))) == (
        'services "s" is forbidden: exceeded quota: quota-erp, requested: services.loadbalancers=1, '
        "used: services.loadbalancers=0, limited: services.loadbalancers=0"
    )
    assert cluster.writes == 1


async def test_claims_by_class() -> None:
    name = "gold.storageclass.storage.k8s.io/requests.storage"
    cluster = cluster_with(quota({name: "10Gi"}, {name: "9Gi"}))
    spec = {"storageClassName": "gold", "resources": {"requests": {"storage": "2Gi"}}}
    claim = {"metadata": {"name": "c"}, "spec": spec}
    assert await refusal(ResourceQuota(environment(cluster)), attributes(claim, "persistentvolumeclaims")) == (
        f'persistentvolumeclaims "c" is forbidden: exceeded quota: quota-erp, requested: {name}=2Gi, '
        f"used: {name}=9Gi, limited: {name}=10Gi"
    )
    spec["storageClassName"] = "tin"
    await ResourceQuota(environment(cluster)).validate(attributes(claim, "persistentvolumeclaims"))


async def test_object_counts() -> None:
    cluster = cluster_with(quota({"count/deployments.apps": "1"}, {"count/deployments.apps": "0"}))
    plugin = ResourceQuota(environment(cluster))
    document: Document = {"metadata": {"name": "web"}}
    await plugin.validate(attributes(document, "deployments", group="apps"))
    text = await refusal(plugin, attributes(document, "deployments", group="apps"))
    assert text.startswith('deployments.apps "web" is forbidden: exceeded quota: quota-erp, requested: count/')


async def test_what_is_not_counted() -> None:
    cluster = cluster_with(quota({"pods": "0", "count/pods": "0"}, {"pods": "0", "count/pods": "0"}))
    plugin = ResourceQuota(environment(cluster))
    await plugin.validate(attributes(small(), subresource="binding"))
    await plugin.validate(attributes(small(), operation="UPDATE", old=small()))
    await plugin.validate(attributes(None, operation="DELETE", old=small()))
    await plugin.validate(attributes(small(), namespace="other"))
    await plugin.validate(attributes({}, "events"))
    await plugin.validate(attributes({"metadata": {"name": "erp"}}, "namespaces"))
    assert "exceeded" in await refusal(plugin, attributes(small()))


async def test_fifty_creates_against_room_for_ten() -> None:
    """Exactly ten are admitted, and many share one write."""
    cluster = cluster_with(quota({"pods": "10", "requests.cpu": "100"}, {"pods": "0", "requests.cpu": "0"}))
    plugin = ResourceQuota(environment(cluster))
    requests = [attributes(small("100m", name=f"p{index}")) for index in range(50)]
    answers = await asyncio.gather(*(plugin.validate(each) for each in requests), return_exceptions=True)
    refused = [answer for answer in answers if answer is not None]
    assert len(refused) == 40
    assert all(
        isinstance(each, StatusError) and "used: pods=10, limited: pods=10" in each.message for each in refused
    )
    assert used(cluster) == {"pods": "10", "requests.cpu": "1"}
    assert cluster.writes <= 2


async def test_requests_that_trickle_in() -> None:
    """Ours: whoever comes while a batch is being written goes into the next one."""
    cluster = cluster_with(quota({"pods": "10"}, {"pods": "0"}))
    plugin = ResourceQuota(environment(cluster))

    async def later(index: int) -> None:
        for _ in range(index % 7):
            await asyncio.sleep(0)
        await plugin.validate(attributes(small(name=f"p{index}")))

    answers = await asyncio.gather(*(later(index) for index in range(50)), return_exceptions=True)
    assert sum(answer is None for answer in answers) == 10
    assert used(cluster) == {"pods": "10"}
    assert not plugin._workers and not plugin._waiting


async def test_a_lost_write_is_tried_again() -> None:
    cluster = cluster_with(quota({"pods": "10"}, {"pods": "0"}))
    interruptions = iter(range(2))

    def interfere() -> None:
        """Another server admits a pod of its own meanwhile."""
        if next(interruptions, None) is not None:
            document = cluster.objects["", "resourcequotas", "erp", "quota-erp"]
            amount = str(int(document["status"]["used"]["pods"]) + 1)
            cluster.put(
                {**document, "status": {**document["status"], "used": {"pods": amount}}}, "", "resourcequotas"
            )

    cluster.interfere = interfere
    plugin = ResourceQuota(environment(cluster))
    requests = [attributes(small(name=f"p{index}")) for index in range(50)]
    answers = await asyncio.gather(*(plugin.validate(each) for each in requests), return_exceptions=True)
    assert sum(answer is None for answer in answers) == 8
    assert used(cluster) == {"pods": "10"}


async def test_a_write_lost_again_and_again() -> None:
    """Upstream gives up after three retries and answers with the conflict."""
    cluster = cluster_with(quota({"pods": "10"}, {"pods": "0"}))
    document = cluster.objects["", "resourcequotas", "erp", "quota-erp"]
    cluster.interfere = lambda: cluster.put(document, "", "resourcequotas")
    with pytest.raises(StatusError) as refused:
        await ResourceQuota(environment(cluster)).validate(attributes(small()))
    assert refused.value.code == 409
    assert used(cluster) == {"pods": "0"}


async def test_only_the_lost_quota_is_charged_again() -> None:
    cluster = cluster_with(quota({"pods": "9"}, {"pods": "0"}, "a"), quota({"pods": "9"}, {"pods": "0"}, "b"))
    calls = iter(range(99))

    def interfere() -> None:
        if next(calls) == 1:
            cluster.put(cluster.objects["", "resourcequotas", "erp", "b"], "", "resourcequotas")

    cluster.interfere = interfere
    await ResourceQuota(environment(cluster)).validate(attributes(small()))
    assert used(cluster, "a") == used(cluster, "b") == {"pods": "1"}


async def test_a_quota_that_goes_away_no_longer_limits() -> None:
    cluster = cluster_with(quota({"pods": "9"}, {"pods": "0"}))
    cluster.interfere = cluster.objects.clear
    await ResourceQuota(environment(cluster)).validate(attributes(small()))


async def test_a_request_that_is_given_up_leaves_the_others_alone() -> None:
    cluster = cluster_with(quota({"pods": "2"}, {"pods": "0"}))
    plugin = ResourceQuota(environment(cluster))
    tasks = [asyncio.create_task(plugin.validate(attributes(small(name=f"p{index}")))) for index in range(3)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    tasks[0].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [None, None]


async def test_a_failing_store_answers_everyone() -> None:
    cluster = cluster_with(quota({"pods": "9"}, {"pods": "0"}))

    def fail() -> None:
        raise OSError("disk")

    cluster.interfere = fail
    plugin = ResourceQuota(environment(cluster))
    answers = await asyncio.gather(*(plugin.validate(attributes(small())) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError] * 3
    cluster.interfere = None
    await plugin.validate(attributes(small()))


async def test_patience_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upstream's words after ten seconds."""
    monkeypatch.setattr("tiphys.admission.resource_quota._PATIENCE", 0.01)
    cluster = cluster_with(quota({"pods": "9"}, {"pods": "0"}))

    class Stuck(ResourceQuota):
        async def _work(self, namespace: str) -> None:
            await asyncio.Event().wait()

    plugin = Stuck(environment(cluster))
    with pytest.raises(StatusError) as refused:
        await plugin.validate(attributes(small()))
    assert refused.value.message == internal_error("resource quota evaluation timed out").message
    plugin._workers["erp"].cancel()


@given(
    st.integers(0, 5000),
    st.integers(0, 5000),
    st.lists(st.tuples(st.integers(0, 2000), st.booleans()), max_size=12),
)
async def test_used_never_passes_hard(hard: int, held: int, asked: list[tuple[int, bool]]) -> None:
    """Ours: what is used after any requests is what was, and the admitted ones' sum, and within the limit."""
    cluster = cluster_with(quota({"requests.cpu": str(from_milli(hard))}, {"requests.cpu": str(from_milli(held))}))
    plugin = ResourceQuota(environment(cluster))
    requests = [attributes(small(str(from_milli(cpu))), dry_run=dry) for cpu, dry in asked]
    answers = await asyncio.gather(*(plugin.validate(each) for each in requests), return_exceptions=True)
    assert all(answer is None or isinstance(answer, StatusError) for answer in answers)
    admitted = [cpu for (cpu, dry), answer in zip(asked, answers, strict=True) if answer is None and not dry]
    assert used(cluster)["requests.cpu"] == str(from_milli(held + sum(admitted)))
    if any(admitted):
        assert held + sum(admitted) <= hard
