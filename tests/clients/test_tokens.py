"""Service accounts and their tokens with real clients: what issue 3 and the walkthrough's Parts 2 and 3 show.

Expected outputs are those of the walkthrough, but for names, hashes and times.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.rest import ApiException

from tests.clients.conftest import Kubectl, RunningCluster, StartCluster, kubectl_of

SECRET = """
apiVersion: v1
kind: Secret
metadata:
  name: builder-token
  annotations: {kubernetes.io/service-account.name: builder}
type: kubernetes.io/service-account-token
"""
ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: looks}
rules:
- {apiGroups: [""], resources: [pods], verbs: [get, list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: builder-looks}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: looks}
subjects:
- {kind: ServiceAccount, name: builder}
"""
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: builder}\n"


def until(look: Callable[[], Any], turns: int = 100) -> Any:
    """What `look` gives once it is true; each look is a request, so turns take their time."""
    for _ in range(turns):
        if found := look():
            return found
    raise AssertionError(f"{look} is not to be")


def as_bearer(kubectl: Kubectl, cluster: RunningCluster, token: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A command with nothing but a token to say who asks."""
    where = ["--kubeconfig=/dev/null", f"--server={cluster.server}", f"--certificate-authority={cluster.pki}/ca.pem"]
    return kubectl.run(*where, f"--token={token}", *words)


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))


@pytest.fixture
def account(kubectl: Kubectl, namespace: str) -> str:
    """A namespace with the account `builder`, which may look at pods."""
    kubectl("apply", "-n", namespace, "-f", "-", stdin=ACCOUNT)
    kubectl("apply", "-n", namespace, "-f", "-", stdin=ROLE)
    return namespace


def filled(kubectl: Kubectl, namespace: str, name: str = "builder-token") -> dict[str, str]:
    """The secret's data once there is a token in it, decoded."""
    data = until(lambda: kubectl.json("get", "secret", name, "-n", namespace).get("data"))
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def test_a_secret_is_filled_and_its_token_may_do_what_the_role_says(
    kubectl: Kubectl, cluster: RunningCluster, account: str
) -> None:
    kubectl("apply", "-n", account, "-f", "-", stdin=SECRET)
    data = filled(kubectl, account)
    assert data["ca.crt"] == (cluster.pki / "ca.pem").read_text() and data["namespace"] == account
    described = kubectl("describe", "secret", "builder-token", "-n", account)
    assert "Type:  kubernetes.io/service-account-token" in described
    assert f"ca.crt:     {len(data['ca.crt'])} bytes" in described
    assert f"namespace:  {len(account)} bytes" in described
    assert f"token:      {data['token']}" in described
    uid = kubectl.json("get", "sa", "builder", "-n", account)["metadata"]["uid"]
    assert claims_of(data["token"]) == {
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": account,
        "kubernetes.io/serviceaccount/secret.name": "builder-token",
        "kubernetes.io/serviceaccount/service-account.name": "builder",
        "kubernetes.io/serviceaccount/service-account.uid": uid,
        "sub": f"system:serviceaccount:{account}:builder",
    }
    assert as_bearer(kubectl, cluster, data["token"], "get", "pods", "-n", account).returncode == 0
    until(
        lambda: "legacy-token-last-used" in kubectl("get", "secret", "builder-token", "-n", account, "--show-labels")
    )
    refused = as_bearer(kubectl, cluster, data["token"], "delete", "pod", "x", "-n", account).stderr
    who = f'User "system:serviceaccount:{account}:builder" cannot delete resource "pods" in API group ""'
    assert f'pods "x" is forbidden: {who} in the namespace "{account}"' in refused
    kubectl("delete", "secret", "builder-token", "-n", account)
    assert "Unauthorized" in as_bearer(kubectl, cluster, data["token"], "get", "pods", "-n", account).stderr


def test_a_secret_goes_with_its_account(kubectl: Kubectl, account: str) -> None:
    kubectl("apply", "-n", account, "-f", "-", stdin=SECRET)
    filled(kubectl, account)
    kubectl("delete", "sa", "builder", "-n", account)
    until(lambda: "builder-token" not in kubectl("get", "secrets", "-n", account))


def create_token(kubectl: Kubectl, namespace: str, *, seconds: int = 0, audience: str = "", secret: str = "") -> str:
    """`kubectl create token`, or what it does, where kubectl is older than 1.24. Raises AssertionError if refused."""
    if kubectl.version != "1.20":
        options = [f"--duration={seconds}s"] if seconds else []
        options += [f"--audience={audience}"] if audience else []
        options += ["--bound-object-kind=Secret", f"--bound-object-name={secret}"] if secret else []
        return kubectl("create", "token", "builder", "-n", namespace, *options).strip()
    spec: dict[str, Any] = {"expirationSeconds": seconds or None, "audiences": [audience] if audience else []}
    if secret:
        spec["boundObjectRef"] = {"kind": "Secret", "apiVersion": "v1", "name": secret}
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/builder/token"
    made = raw(kubectl, path, {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "spec": spec})
    return str(made["status"]["token"])


def raw(kubectl: Kubectl, path: str, body: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(body))))


def user_of(kubectl: Kubectl, token: str) -> dict[str, Any]:
    review = {"kind": "TokenReview", "apiVersion": "authentication.k8s.io/v1", "spec": {"token": token}}
    status = raw(kubectl, "/apis/authentication.k8s.io/v1/tokenreviews", review)["status"]
    assert status["authenticated"]
    return dict(status["user"])


def test_create_token(kubectl: Kubectl, cluster: RunningCluster, account: str) -> None:
    token = create_token(kubectl, account, seconds=1200)
    claims = claims_of(token)
    assert claims["exp"] - claims["iat"] == 1200
    user = user_of(kubectl, token)
    assert user["username"] == f"system:serviceaccount:{account}:builder"
    assert user["extra"]["authentication.kubernetes.io/credential-id"] == [f"JTI={claims['jti']}"]
    assert as_bearer(kubectl, cluster, token, "get", "pods", "-n", account).returncode == 0
    elsewhere = create_token(kubectl, account, audience="vault")
    assert "Unauthorized" in as_bearer(kubectl, cluster, elsewhere, "get", "pods", "-n", account).stderr
    with pytest.raises(AssertionError, match="may not specify a duration less than 10 minutes"):
        create_token(kubectl, account, seconds=60)
    kubectl("delete", "sa", "builder", "-n", account)
    kubectl("apply", "-n", account, "-f", "-", stdin=ACCOUNT)
    assert "Unauthorized" in as_bearer(kubectl, cluster, token, "get", "pods", "-n", account).stderr


def test_a_token_bound_to_a_secret_ends_with_it(kubectl: Kubectl, cluster: RunningCluster, account: str) -> None:
    with pytest.raises(AssertionError, match='secrets "s" not found'):
        create_token(kubectl, account, secret="s")
    kubectl("create", "secret", "generic", "s", "-n", account)
    token = create_token(kubectl, account, secret="s")
    assert as_bearer(kubectl, cluster, token, "get", "pods", "-n", account).returncode == 0
    kubectl("delete", "secret", "s", "-n", account)
    assert "Unauthorized" in as_bearer(kubectl, cluster, token, "get", "pods", "-n", account).stderr


def test_the_python_client_with_a_token(kubectl: Kubectl, cluster: RunningCluster, account: str) -> None:
    kubectl("apply", "-n", account, "-f", "-", stdin=SECRET)
    configuration = client.Configuration(
        host=cluster.server, api_key={"authorization": f"Bearer {filled(kubectl, account)['token']}"}
    )
    configuration.ssl_ca_cert = str(cluster.pki / "ca.pem")
    with client.ApiClient(configuration) as api:
        core = client.CoreV1Api(api)
        assert core.list_namespaced_pod(account).items == []
        with pytest.raises(ApiException) as refused:
            core.list_namespaced_pod("kube-system")
        assert refused.value.status == 403
        made = core.create_namespaced_service_account_token
        request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[]))
        with pytest.raises(ApiException) as refused:
            made("builder", account, request)
        assert 'cannot create resource "serviceaccounts/token"' in json.loads(refused.value.body)["message"]


def test_anonymous_is_forbidden_and_a_wrong_token_unauthorized(kubectl: Kubectl, cluster: RunningCluster) -> None:
    wrong = as_bearer(kubectl, cluster, "wrong", "get", "pods", "-n", "default").stderr
    assert "You must be logged in to the server" in wrong
    configuration = client.Configuration(host=cluster.server)
    configuration.ssl_ca_cert = str(cluster.pki / "ca.pem")
    with client.ApiClient(configuration) as api, pytest.raises(ApiException) as refused:
        client.CoreV1Api(api).list_namespaced_pod("default")
    assert refused.value.status == 403
    assert 'User "system:anonymous" cannot list resource "pods"' in json.loads(refused.value.body)["message"]


def test_the_issuers_documents(kubectl: Kubectl) -> None:
    found = json.loads(kubectl("get", "--raw", "/.well-known/openid-configuration"))
    assert found["issuer"] == "https://kubernetes.default.svc.cluster.local"
    assert json.loads(kubectl("get", "--raw", "/openid/v1/jwks"))["keys"][0]["kty"] == "RSA"


def test_kubeconfigs_made_by_tiphys(kubectl: Kubectl, cluster: RunningCluster, account: str, tmp_path: Path) -> None:
    def made(*options: str) -> str:
        path = tmp_path / "config"
        path.write_text(cluster.command("kubeconfig", "--name", cluster.name, *options).stdout)
        return f"--kubeconfig={path}"

    own = made("--service-account", f"{account}/builder")
    assert "No resources found" in kubectl.run(own, "get", "pods").stderr
    assert f'secrets is forbidden: User "system:serviceaccount:{account}:builder"' in (
        kubectl.run(own, "get", "secrets").stderr
    )
    joe = made("--user", "joe", "--group", "system:masters", "--namespace", account)
    assert "No resources found" in kubectl.run(joe, "get", "pods").stderr
    jane = made("--user", "jane", "--namespace", account)
    assert f'User "jane" cannot list resource "pods" in API group "" in the namespace "{account}"' in (
        kubectl.run(jane, "get", "pods").stderr
    )
    both = Path(
        made("--user", "builder", "--namespace", account, "--token").removeprefix("--kubeconfig=")
    ).read_text()
    assert "client-certificate-data" in both and "token: ey" in both
    wrong = cluster.command("kubeconfig", "--name", cluster.name, "--user", "x", "--token", check=False)
    assert wrong.returncode == 2 and "--namespace" in wrong.stderr


# As before 1.24


@pytest.fixture(scope="module")
def older(start_cluster: StartCluster) -> Iterator[RunningCluster]:
    """A cluster that makes a token secret for each account by itself."""
    yield start_cluster("older", "--feature-gates", "LegacyServiceAccountTokenNoAutoGeneration=false")


@pytest.mark.parametrize("version", ["1.20", "1.37"])
def test_every_account_has_its_secret(older: RunningCluster, version: str) -> None:
    """The walkthrough's 2.1, 2.4 and 2.5."""
    kubectl, name = kubectl_of(version, older), f"erp-{version.replace('.', '')}"
    kubectl("create", "namespace", name)
    assert kubectl("create", "serviceaccount", "erp-user1", "-n", name) == "serviceaccount/erp-user1 created\n"
    until(lambda: len(kubectl("get", "secrets", "-n", name, "--no-headers").splitlines()) == 2)
    accounts = until(lambda: _listed(kubectl("get", "serviceaccounts", "-n", name)))
    assert accounts[0].split() == ["NAME", "SECRETS", "AGE"]
    assert [line.split()[:2] for line in accounts[1:]] == [["default", "1"], ["erp-user1", "1"]]
    rows = [line.split() for line in kubectl("get", "secrets", "-n", name).splitlines()]
    assert rows[0] == ["NAME", "TYPE", "DATA", "AGE"]
    for row, account in zip(rows[1:], ("default", "erp-user1"), strict=True):
        assert row[0].startswith(f"{account}-token-") and len(row[0]) == len(f"{account}-token-") + 5
        assert row[1:3] == ["kubernetes.io/service-account-token", "3"]
    secret = rows[2][0]
    uid = kubectl.json("get", "sa", "erp-user1", "-n", name)["metadata"]["uid"]
    described = kubectl("describe", "secret", secret, "-n", name).splitlines()
    assert described[:8] == [
        f"Name:         {secret}",
        f"Namespace:    {name}",
        "Labels:       <none>",
        "Annotations:  kubernetes.io/service-account.name: erp-user1",
        f"              kubernetes.io/service-account.uid: {uid}",
        "",
        "Type:  kubernetes.io/service-account-token",
        "",
    ]
    assert described[8:10] == ["Data", "===="]
    token = base64.b64decode(kubectl.json("get", "secret", secret, "-n", name)["data"]["token"]).decode()
    assert f'User "system:serviceaccount:{name}:erp-user1" cannot list' in (
        as_bearer(kubectl, older, token, "get", "pods", "-n", name).stderr
    )
    assert kubectl("describe", "secret", secret, "-n", name).splitlines()[2] == "Labels:       <none>"
    size = len((older.pki / "ca.pem").read_bytes())
    assert sorted(line.split("ey")[0] for line in described[10:]) == [
        f"ca.crt:     {size} bytes",
        f"namespace:  {len(name)} bytes",
        "token:      ",
    ]


def _listed(table: str) -> list[str]:
    """The rows, once every account lists a secret."""
    rows = table.splitlines()
    return rows if len(rows) == 3 and all(row.split()[1] == "1" for row in rows[1:]) else []


def test_a_bootstrap_token(kubectl: Kubectl, cluster: RunningCluster) -> None:
    """As kubeadm makes it; gone once it has run out."""
    token_id = f"v{kubectl.version.replace('.', '')}xx"
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"bootstrap-token-{token_id}", "namespace": "kube-system"},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {
            "token-id": token_id,
            "token-secret": "0123456789abcdef",
            "usage-bootstrap-authentication": "true",
            "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    refused = as_bearer(kubectl, cluster, f"{token_id}.0123456789abcdef", "get", "pods", "-n", "default").stderr
    assert f'User "system:bootstrap:{token_id}" cannot list resource "pods"' in refused
    secret["stringData"] = {"expiration": "2001-01-01T00:00:00Z"}
    kubectl("apply", "-f", "-", stdin=json.dumps(secret))
    until(lambda: kubectl.run("get", "secret", f"bootstrap-token-{token_id}", "-n", "kube-system").returncode)
