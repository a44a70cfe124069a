"""Token secrets: `pkg/controller/serviceaccount/tokens_controller_test.go`."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tiphys.base.document import Document
from tiphys.controllers.service_account_token import CONTROLLER
from tiphys.pki import jwt
from tiphys.pki.service_account_key import ServiceAccountKeys, key_id
from tiphys.pki.service_account_token import TokenSigner

NAME, UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"
TYPE = "kubernetes.io/service-account-token"


@pytest.fixture(scope="module")
def options() -> dict[str, object]:
    key = rsa.generate_private_key(65537, 2048)
    keys = ServiceAccountKeys(key, {key_id(key.public_key()): key.public_key()})
    return {"service-account-token-signer": TokenSigner(keys), "root-ca": "the CA"}


def _secret(name: str = "s", account: str = "builder", **annotations: str) -> Document:
    meta = {"name": name, "annotations": {NAME: account, **annotations}}
    return {"kind": "Secret", "apiVersion": "v1", "metadata": meta, "type": TYPE}


def _data(secret: Document) -> dict[str, str]:
    return {key: base64.b64decode(value).decode() for key, value in (secret.get("data") or {}).items()}


async def _account(cluster: Any, name: str = "builder", **more: Any) -> Document:
    account: Document = await cluster.client.create(
        "v1", "serviceaccounts", {"metadata": {"name": name}, **more}, "erp"
    )
    return account


def _found(cluster: Any, name: str = "s") -> Document | None:
    found: Document | None = cluster.api.objects.get(("", "secrets", "erp", name))
    return found


async def test_a_secret_is_filled(cluster: Any, options: dict[str, object]) -> None:
    account = await _account(cluster)
    async with cluster.running(CONTROLLER, options=options):
        await cluster.client.create("v1", "secrets", _secret(), "erp")
        filled = await cluster.api.until(lambda: (_found(cluster) or {}).get("data") and _found(cluster))
        data = _data(filled)
        assert (data["ca.crt"], data["namespace"]) == ("the CA", "erp")
        assert filled["metadata"]["annotations"] == {NAME: "builder", UID: account["metadata"]["uid"]}
        signer = options["service-account-token-signer"]
        assert isinstance(signer, TokenSigner)
        parsed = jwt.parse(data["token"])
        assert parsed.verified_by(signer.keys.verifying[parsed.key_id])
        assert "secrets" not in cluster.api.objects["", "serviceaccounts", "erp", "builder"], "listed by hand only"


async def test_what_is_missing_is_put_in_and_what_is_there_stays(cluster: Any, options: dict[str, object]) -> None:
    await _account(cluster)
    kept = {key: base64.b64encode(value).decode() for key, value in (("token", b"mine"), ("more", b"x"))}
    async with cluster.running(CONTROLLER, options=options):
        old = {**kept, "ca.crt": base64.b64encode(b"an old CA").decode()}
        await cluster.client.create("v1", "secrets", {**_secret(), "data": old}, "erp")
        filled = await cluster.api.until(lambda: "namespace" in _data(_found(cluster) or {}) and _found(cluster))
        assert _data(filled) == {"token": "mine", "more": "x", "ca.crt": "the CA", "namespace": "erp"}


@pytest.mark.parametrize("annotations", [{}, {UID: "another"}])
async def test_a_secret_without_its_account_goes(
    cluster: Any, options: dict[str, object], annotations: dict[str, str]
) -> None:
    if annotations:
        await _account(cluster)
    async with cluster.running(CONTROLLER, options=options):
        await cluster.client.create("v1", "secrets", _secret(**annotations), "erp")
        await cluster.api.until(lambda: _found(cluster) is None)


async def test_secrets_go_with_their_account(cluster: Any, options: dict[str, object]) -> None:
    await _account(cluster)
    async with cluster.running(CONTROLLER, options=options):
        for name in ("s", "t"):
            await cluster.client.create("v1", "secrets", _secret(name), "erp")
        await cluster.api.until(lambda: all(secret.get("data") for secret in cluster.api.of("secrets")))
        await cluster.client.delete("v1", "serviceaccounts", "builder", "erp")
        await cluster.api.until(lambda: not cluster.api.of("secrets"))


async def test_a_deleted_secret_is_no_longer_listed(cluster: Any, options: dict[str, object]) -> None:
    await _account(cluster, secrets=[{"name": "s"}, {"name": "a-dockercfg"}])
    async with cluster.running(CONTROLLER, options=options):
        await cluster.client.create("v1", "secrets", _secret(), "erp")
        await cluster.api.until(lambda: (_found(cluster) or {}).get("data"))
        await cluster.client.delete("v1", "secrets", "s", "erp")
        account = ("", "serviceaccounts", "erp", "builder")
        await cluster.api.until(lambda: cluster.api.objects[account]["secrets"] == [{"name": "a-dockercfg"}])


async def test_before_1_24_every_account_is_given_one_token_and_lists_it(
    cluster: Any, options: dict[str, object]
) -> None:
    account = await _account(cluster)
    async with cluster.running(CONTROLLER, options={**options, "service-account-token-generation": True}):
        key = ("", "serviceaccounts", "erp", "builder")
        listed = await cluster.api.until(lambda: cluster.api.objects[key].get("secrets"))
        await cluster.settle()
        (secret,) = cluster.api.of("secrets")
        name = secret["metadata"]["name"]
        assert listed == [{"name": name}]
        assert name.startswith("builder-token-") and len(name) == len("builder-token-") + 5
        assert set(_data(secret)) == {"ca.crt", "namespace", "token"} and secret["type"] == TYPE
        assert secret["metadata"]["annotations"] == {NAME: "builder", UID: account["metadata"]["uid"]}
        await cluster.client.delete("v1", "secrets", name, "erp")
        await cluster.api.until(lambda: cluster.api.objects[key]["secrets"] not in ([], listed))
        await cluster.settle()
        assert len(cluster.api.of("secrets")) == 1


async def test_without_a_signer_there_is_nothing_to_do(cluster: Any) -> None:
    async with cluster.running(CONTROLLER):
        await cluster.client.create("v1", "secrets", _secret(), "erp")
        await cluster.settle()
        assert "data" not in (_found(cluster) or {})
