"""Roles and bindings typed with each kubectl, and what they let people do.

The describe tables are what a kubeadm cluster printed for the same files (examples/day11); the words of refusals are
upstream's (`responsewriters/errors.go`, `pkg/registry/rbac/validation/rule.go`).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clients.conftest import KUBECTL_VERSIONS, Kubectl, RunningCluster, StartCluster, kubectl_of

EXAMPLES = Path(__file__).parents[2] / "examples" / "day11"
ACCOUNT = "system:serviceaccount:erp:erp-user1"

ROLE_TABLE = """\
Name:         erp-user1-role
Labels:       <none>
Annotations:  <none>
PolicyRule:
  Resources            Non-Resource URLs  Resource Names  Verbs
  ---------            -----------------  --------------  -----
  pods.*/exec          []                 []              [get list watch create]
  pods.*               []                 []              [get list watch]
  pods.*/log           []                 []              [get watch list]
  deployments.apps/v1  []                 []              [get watch list]
"""
BINDING_TABLE = """\
Name:         erp-user1-role-bind
Labels:       <none>
Annotations:  <none>
Role:
  Kind:  Role
  Name:  erp-user1-role
Subjects:
  Kind            Name       Namespace
  ----            ----       ---------
  ServiceAccount  erp-user1  erp
"""


@dataclass(frozen=True)
class Erp:
    """A cluster with users: the administrator's kubectl, and the same as someone with a token of their own."""

    cluster: RunningCluster
    kubectl: Kubectl

    def run(self, token: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return self.kubectl.run(
            "--server", self.cluster.server, "--token", token, "--kubeconfig", "/dev/null",
            "--certificate-authority", str(self.cluster.pki / "ca.pem"), *words, stdin=stdin,
        )  # fmt: skip

    def refused(self, token: str, *words: str, stdin: str = "") -> str:
        done = self.run(token, *words, stdin=stdin)
        assert done.returncode == 1, done.stdout
        return done.stderr.strip()


@pytest.fixture(scope="module")
def users(start_cluster: StartCluster, tmp_path_factory: pytest.TempPathFactory) -> RunningCluster:
    tokens = tmp_path_factory.mktemp("tokens") / "tokens.csv"
    tokens.write_text('jane-s,jane,1,"devs"\nbob-s,bob,2\n')
    return start_cluster("rbac", "--token-file", str(tokens))


@pytest.fixture(scope="module", params=KUBECTL_VERSIONS)
def erp(users: RunningCluster, request: pytest.FixtureRequest) -> Iterator[Erp]:
    """The walkthrough's account, role and binding in namespace erp."""
    kubectl = kubectl_of(request.param, users)
    kubectl("create", "namespace", "erp")
    assert kubectl("create", "serviceaccount", "erp-user1", "-n", "erp") == "serviceaccount/erp-user1 created\n"
    for file, told in (("erp-role", "role"), ("erp-user1-role-bind", "rolebinding")):
        name = "erp-user1-role" if told == "role" else "erp-user1-role-bind"
        applied = kubectl("apply", "-f", str(EXAMPLES / f"{file}.yaml"))
        assert applied == f"{told}.rbac.authorization.k8s.io/{name} created\n"
    yield Erp(users, kubectl)
    kubectl("delete", "namespace", "erp")


def _until(condition: Callable[[], bool]) -> None:
    """Ask until it holds; each question is a kubectl of its own, so there is no need to wait between them."""
    assert any(condition() for _ in range(100))


def test_tables(erp: Erp) -> None:
    assert erp.kubectl("describe", "role", "erp-user1-role", "-n", "erp") == ROLE_TABLE
    assert erp.kubectl("describe", "rolebinding", "erp-user1-role-bind", "-n", "erp") == BINDING_TABLE
    header, row = erp.kubectl("get", "role", "-n", "erp").splitlines()
    assert header.split() == ["NAME", "CREATED", "AT"] and row.split()[0] == "erp-user1-role"
    header, row = erp.kubectl("get", "rolebinding", "-n", "erp").splitlines()
    assert header.split() == ["NAME", "ROLE", "AGE"]
    assert row.split()[:2] == ["erp-user1-role-bind", "Role/erp-user1-role"]


@pytest.mark.parametrize(
    ("words", "may"),
    [
        ("get pods -n erp", "yes"),
        ("watch pods -n erp", "yes"),
        ("get pods --subresource=log -n erp", "yes"),
        ("create pods --subresource=exec -n erp", "yes"),
        ("delete pods -n erp", "no"),
        ("get pods -n default", "no"),
        ("get pods --all-namespaces", "no"),
        ("get deployments.apps -n erp", "no"),  # the role names the group `apps/v1`, which there is not
        ("get /version", "yes"),
        ("get /metrics", "no"),
    ],
)
def test_can_i(erp: Erp, words: str, may: str) -> None:
    done = erp.kubectl.run("auth", "can-i", *words.split(), "--as", ACCOUNT)
    assert done.stdout.strip().split(" ")[0] == may, done.stderr
    assert done.returncode == (0 if may == "yes" else 1)


def test_the_account_does_what_its_role_says_and_nothing_else(erp: Erp) -> None:
    assert erp.kubectl.run("get", "pods", "-n", "erp", "--as", ACCOUNT).returncode == 0
    who = f'User "{ACCOUNT}" cannot'
    for words, what, resource, where in (
        ("delete pod web -n erp", 'pods "web"', 'delete resource "pods" in API group ""', "erp"),
        ("get pods -n default", "pods", 'list resource "pods" in API group ""', "default"),
        ("get nodes", "nodes", 'list resource "nodes" in API group ""', ""),
        ("get secret a -n erp", 'secrets "a"', 'get resource "secrets" in API group ""', "erp"),
        ("get deployments -n erp", "deployments.apps", 'list resource "deployments" in API group "apps"', "erp"),
    ):
        done = erp.kubectl.run(*words.split(), "--as", ACCOUNT)
        place = f'in the namespace "{where}"' if where else "at the cluster scope"
        refusal = f"Error from server (Forbidden): {what} is forbidden: {who} {resource} {place}"
        assert (done.returncode, done.stderr.strip()) == (1, refusal)


def test_can_i_list(erp: Erp) -> None:
    told = erp.kubectl("auth", "can-i", "--list", "-n", "erp", "--as", ACCOUNT).splitlines()
    assert told[0].split() == ["Resources", "Non-Resource", "URLs", "Resource", "Names", "Verbs"]
    rows = {" ".join(line.split()) for line in told[1:]}
    assert "pods.*/exec [] [] [get list watch create]" in rows
    assert "selfsubjectaccessreviews.authorization.k8s.io [] [] [create]" in rows
    assert "[/version] [] [get]" in rows
    admin = {" ".join(line.split()) for line in erp.kubectl("auth", "can-i", "--list").splitlines()}
    assert "*.* [] [] [*]" in admin and "[*] [] [*]" in admin


def test_reconcile(erp: Erp, tmp_path: Path) -> None:
    file = tmp_path / "role.yaml"
    file.write_text((EXAMPLES / "erp-role.yaml").read_text().replace('["pods/log"]', '["pods/log", "pods/attach"]'))
    told = "role.rbac.authorization.k8s.io/erp-user1-role reconciled"
    assert told in erp.kubectl("auth", "reconcile", "-f", str(file))
    may = erp.kubectl.run("auth", "can-i", "get", "pods", "--subresource=attach", "-n", "erp", "--as", ACCOUNT)
    assert may.stdout == "yes\n"
    removed = erp.kubectl("auth", "reconcile", "-f", str(EXAMPLES / "erp-role.yaml"), "--remove-extra-permissions")
    assert told in removed and "pods/attach" not in erp.kubectl("get", "role", "-n", "erp", "-o", "yaml")


def test_users_with_tokens(erp: Erp) -> None:
    who = 'User "jane" cannot list resource "pods" in API group "" in the namespace "erp"'
    assert (
        erp.refused("jane-s", "get", "pods", "-n", "erp")
        == f"Error from server (Forbidden): pods is forbidden: {who}"
    )
    erp.kubectl("create", "rolebinding", "view", "--clusterrole=view", "--group=devs", "-n", "erp")
    assert erp.run("jane-s", "get", "pods,services,configmaps", "-n", "erp").returncode == 0
    assert 'cannot list resource "secrets"' in erp.refused("jane-s", "get", "secrets", "-n", "erp")
    assert "is forbidden" in erp.refused("bob-s", "get", "pods", "-n", "erp")


def test_a_binding_of_a_missing_role_is_named_in_the_refusal(erp: Erp) -> None:
    erp.kubectl("create", "rolebinding", "lost", "--clusterrole=gone", "--user=bob", "-n", "erp")
    refusal = erp.refused("bob-s", "get", "pods", "-n", "erp")
    assert refusal.endswith('in the namespace "erp": RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found')
    erp.kubectl("delete", "rolebinding", "lost", "-n", "erp")


def test_admins_of_a_namespace_hand_on_no_more_than_they_hold(erp: Erp) -> None:
    erp.kubectl("create", "rolebinding", "admins", "--clusterrole=admin", "--user=jane", "-n", "erp")
    role = ("create", "role", "-n", "erp", "--resource=pods")
    assert erp.run("jane-s", *role, "--verb=get,delete", "fine").returncode == 0
    refusal = erp.refused("jane-s", "create", "role", "-n", "erp", "--resource=nodes", "--verb=get", "bad")
    assert refusal.startswith(
        'Error from server (Forbidden): roles.rbac.authorization.k8s.io "bad" is forbidden: user "jane" '
        '(groups=["devs" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n'
        '{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}'
    )
    words = ("create", "rolebinding", "-n", "erp", "--user=bob")
    assert erp.run("jane-s", *words, "--clusterrole=edit", "fine").returncode == 0
    assert "not currently held" in erp.refused("jane-s", *words, "--clusterrole=cluster-admin", "bad")
    erp.kubectl("delete", "role", "fine", "-n", "erp")


def test_aggregation(erp: Erp) -> None:
    """A role with the label adds to `view` at once, for those already bound."""
    erp.kubectl("create", "rolebinding", "viewer", "--clusterrole=view", "--user=bob", "-n", "erp")
    role = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: things, labels: {rbac.authorization.k8s.io/aggregate-to-view: "true"}}
rules: [{apiGroups: [""], resources: [podtemplates], verbs: [get, list]}]
"""
    assert "is forbidden" in erp.refused("bob-s", "get", "podtemplates", "-n", "erp")
    erp.kubectl("apply", "-f", "-", stdin=role)
    wanted = '{.rules[?(@.resources[0]=="podtemplates")].verbs}'
    _until(lambda: erp.kubectl("get", "clusterrole", "view", "-o", f"jsonpath={wanted}") != "")
    assert erp.run("bob-s", "get", "podtemplates", "-n", "erp").returncode == 0
    erp.kubectl("delete", "clusterrole", "things")
    _until(lambda: erp.kubectl("get", "clusterrole", "view", "-o", f"jsonpath={wanted}") == "")


def test_why(erp: Erp) -> None:
    def why(*words: str) -> subprocess.CompletedProcess[str]:
        return erp.cluster.command("why", "can", ACCOUNT, *words, "-n", "erp", "--name", "rbac", check=False)

    allowed = why("get", "po")
    assert allowed.returncode == 0 and allowed.stdout.splitlines() == [
        f"Yes: {ACCOUNT} may get pods in namespace erp",
        '  RoleBinding "erp-user1-role-bind/erp" of Role "erp-user1-role" to ServiceAccount "erp-user1/erp"',
        '    rule 3: {APIGroups:["*"], Resources:["pods"], Verbs:["get" "list" "watch"]}',
    ]
    refused = why("delete", "pods")
    assert refused.returncode == 1
    first, other, rule, roles, example = refused.stdout.splitlines()
    assert first == f"No: {ACCOUNT} may not delete pods in namespace erp"
    assert other.startswith('  for other verbs: RoleBinding "erp-user1-role-bind/erp"') and "rule 3" in rule
    assert roles.startswith("  would be allowed by: ClusterRole edit, ClusterRole admin, ClusterRole cluster-admin")
    command = "kubectl create rolebinding erp-erp-user1-edit --clusterrole=edit --serviceaccount=erp:erp-user1 -n erp"
    assert example == f"  for example: {command}"
    erp.kubectl(*command.split()[1:])
    assert why("delete", "pods").returncode == 0
    erp.kubectl("delete", "rolebinding", "erp-erp-user1-edit", "-n", "erp")
    assert why("get", "nothing").returncode == 2
