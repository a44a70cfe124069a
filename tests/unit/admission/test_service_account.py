"""ServiceAccount (kubernetes `plugin/pkg/admission/serviceaccount/admission_test.go`)."""

from __future__ import annotations

from typing import Any

import pytest
from admission_fakes import FakeCluster, attributes, container, environment, pod

from tiphys.admission.service_account import MOUNT_PATH, ServiceAccount
from tiphys.base.status import StatusError


def plugin(name: str = "default", **account: Any) -> ServiceAccount:
    cluster = FakeCluster()
    metadata = {"name": name, "namespace": "erp", **account.pop("metadata", {})}
    cluster.put({"metadata": metadata, **account}, plural="serviceaccounts")
    return ServiceAccount(environment(cluster))


async def refusal(accounts: ServiceAccount, document: Any, phase: str = "validate") -> str:
    with pytest.raises(StatusError) as refused:
        await getattr(accounts, phase)(attributes(document))
    assert refused.value.code == 403
    return refused.value.message


async def test_default_account_and_its_token() -> None:
    document = pod(container("a"), container("b"), initContainers=[container("i")])
    await plugin().admit(attributes(document))
    spec = document["spec"]
    assert spec["serviceAccountName"] == spec["serviceAccount"] == "default"
    (volume,) = spec["volumes"]
    assert volume["name"].startswith("kube-api-access-") and len(volume["name"]) == len("kube-api-access-") + 5
    assert volume["projected"] == {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {
                "downwardAPI": {
                    "items": [
                        {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                    ]
                }
            },
        ],
        "defaultMode": 420,
    }
    mount = {"name": volume["name"], "readOnly": True, "mountPath": MOUNT_PATH}
    for each in (*spec["containers"], *spec["initContainers"]):
        assert each["volumeMounts"] == [mount]


async def test_missing_account() -> None:
    document = pod(container(), serviceAccountName="builder")
    assert await refusal(plugin(), document, "admit") == (
        'pods "p" is forbidden: error looking up service account erp/builder: serviceaccount "builder" not found'
    )


async def test_missing_default_account_is_waited_for() -> None:
    cluster = FakeCluster()
    accounts = ServiceAccount(environment(cluster))
    clock: Any = accounts.environment.clock
    assert await refusal(accounts, pod(container()), "admit") == (
        'pods "p" is forbidden: error looking up service account erp/default: serviceaccount "default" not found'
    )
    assert sum(clock.slept) == pytest.approx(1.0)

    class Late(FakeCluster):
        async def get(self, *key: Any) -> Any:
            if clock.slept:
                return {"metadata": {"name": "default"}}
            return None

    clock.slept.clear()
    late = ServiceAccount(environment(Late()))
    clock = late.environment.clock
    await late.admit(attributes(pod(container())))
    assert len(clock.slept) == 1


@pytest.mark.parametrize(
    ("pod_says", "account_says", "mounted"),
    [(None, None, True), (None, False, False), (None, True, True), (True, False, True), (False, True, False)],
)
async def test_automount(pod_says: bool | None, account_says: bool | None, mounted: bool) -> None:
    account = {} if account_says is None else {"automountServiceAccountToken": account_says}
    spec = {} if pod_says is None else {"automountServiceAccountToken": pod_says}
    document = pod(container(), **spec)
    await plugin(**account).admit(attributes(document))
    assert ("volumes" in document["spec"]) is mounted


async def test_a_mount_at_the_path_is_respected() -> None:
    document = pod(container("a", volumeMounts=[{"name": "mine", "mountPath": MOUNT_PATH}]))
    await plugin().admit(attributes(document))
    assert "volumes" not in document["spec"]


async def test_a_token_volume_is_used_again() -> None:
    document = pod(container("a"), volumes=[{"name": "kube-api-access-abcde", "projected": {}}])
    await plugin().admit(attributes(document))
    assert len(document["spec"]["volumes"]) == 1
    assert document["spec"]["containers"][0]["volumeMounts"][0]["name"] == "kube-api-access-abcde"


async def test_image_pull_secrets() -> None:
    secrets = [{"name": "harbor"}]
    document = pod(container())
    await plugin(imagePullSecrets=secrets).admit(attributes(document))
    assert document["spec"]["imagePullSecrets"] == secrets
    document = pod(container(), imagePullSecrets=[{"name": "own"}])
    await plugin(imagePullSecrets=secrets).admit(attributes(document))
    assert document["spec"]["imagePullSecrets"] == [{"name": "own"}]
    document = pod(container())
    await plugin().admit(attributes(document))
    assert "imagePullSecrets" not in document["spec"]


SECRET_ENV = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (pod(container(), volumes=[{"name": "v", "secret": {"secretName": "s"}}]),
         'volume with secret.secretName="s" is not allowed because service account default does not reference that '
         "secret"),
        (pod(container("c", env=[SECRET_ENV])),
         'container c with envVar KEY referencing secret.secretName="s" is not allowed because service account '
         "default does not reference that secret"),
        (pod(container(), initContainers=[container("i", env=[SECRET_ENV])]),
         'init container i with envVar KEY referencing secret.secretName="s" is not allowed because service account '
         "default does not reference that secret"),
        (pod(container(), imagePullSecrets=[{"name": "s"}]),
         'imagePullSecrets[0].name="s" is not allowed because service account default does not reference that '
         "imagePullSecret"),
    ],
)  # fmt: skip
async def test_enforced_mountable_secrets(document: Any, text: str) -> None:
    document["spec"]["serviceAccountName"] = "default"
    enforcing = {"annotations": {"kubernetes.io/enforce-mountable-secrets": "true"}}
    assert await refusal(plugin(metadata=enforcing), document) == f'pods "p" is forbidden: {text}'
    await plugin().validate(attributes(document))
    listed = {"secrets": [{"name": "s"}], "imagePullSecrets": [{"name": "s"}]}
    await plugin(metadata=enforcing, **listed).validate(attributes(document))


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"serviceAccountName": "default"}, "a mirror pod may not reference service accounts"),
        ({"volumes": [{"secret": {"secretName": "s"}}]}, "a mirror pod may not reference secrets"),
        ({"volumes": [{"projected": {"sources": [{"serviceAccountToken": {}}]}}]},
         "a mirror pod may not use ServiceAccountToken volume projections"),
    ],
)  # fmt: skip
async def test_mirror_pods(spec: dict[str, Any], text: str) -> None:
    document = pod(container(), **spec)
    document["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    assert await refusal(plugin(), document) == f'pods "p" is forbidden: {text}'


async def test_mirror_pods_are_not_changed() -> None:
    document = pod(container())
    document["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    before = str(document)
    await plugin().admit(attributes(document))
    await plugin().validate(attributes(document))
    assert str(document) == before
