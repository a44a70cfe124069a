"""Certificates as the walkthrough makes them (Part 3), by the real cfssl, by `tiphys pki` and by the API's signers.

Expectations: the walkthrough's own outputs, and cfssl beside us in the same run.
"""

from __future__ import annotations

import base64
import datetime
import http.client
import json
import re
import shutil
import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.clients.conftest import ROOT, Kubectl, RunningCluster, StartCluster, kubectl_of
from tiphys.pki.authority import Authority
from tiphys.pki.certificate_request import CertificateRequest, process
from tiphys.pki.key_request import key_pem
from tiphys.pki.pair import Pair
from tiphys.pki.subject import NamePart

CSR = ROOT / "examples" / "day11" / "erp-user1-csr.json"
LOG = [
    "[INFO] generate received request",
    "[INFO] received CSR",
    "[INFO] generating key: rsa-2048",
    "[INFO] encoded CSR",
    "[INFO] signed certificate with serial number N",
    '[WARNING] This certificate lacks a "hosts" field. This makes it unsuitable for',
    "websites. For more information see the Baseline Requirements for the Issuance and Management",
    "of Publicly-Trusted Certificates, v.1.1.6, from the CA/Browser Forum (https://cabforum.org);",
    'specifically, section 10.2.3 ("Information Requirements").',
]
"""The walkthrough's, line 1876 and on."""
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_cfssl_is_there() -> None:
    assert shutil.which("cfssl") and shutil.which("cfssljson"), "install golang-cfssl"


def runner(cluster: RunningCluster, directory: Path, *program: str) -> Run:
    def run(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, *words],
            cwd=directory,
            input=stdin,
            capture_output=True,
            text=True,
            env=cluster.command.env(),
            timeout=60,
        )

    return run


@pytest.fixture(params=["cfssl", "tiphys"])
def tools(request: pytest.FixtureRequest, cluster: RunningCluster, tmp_path: Path) -> tuple[Run, Run]:
    """(cfssl, cfssljson), the real ones and ours."""
    if request.param == "cfssl":
        return runner(cluster, tmp_path, "cfssl"), runner(cluster, tmp_path, "cfssljson")
    ours = (sys.executable, "-m", "tiphys.cli", "pki")
    return runner(cluster, tmp_path, *ours), runner(cluster, tmp_path, *ours, "json")


def gencert(cluster: RunningCluster, *more: str) -> list[str]:
    pki = cluster.pki
    files = [f"-ca={pki}/ca.pem", f"-ca-key={pki}/ca-key.pem", f"-config={pki}/ca-config.json"]
    return ["gencert", *files, "-profile=kubernetes", *more]


def lines_of(log: str) -> list[str]:
    """Without dates and serial numbers."""
    plain = re.sub(r"(?m)^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", "", log)
    return re.sub(r"serial number \d+", "serial number N", plain).splitlines()


def modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


def test_the_walkthroughs_certificate_and_kubeconfig(
    cluster: RunningCluster, tools: tuple[Run, Run], tmp_path: Path, kubectl: Kubectl
) -> None:
    """Part 3 as typed: gencert, the four `kubectl config` steps, then a request made with what came of them."""
    cfssl, cfssljson = tools
    made = cfssl(*gencert(cluster, str(CSR)))
    assert made.returncode == 0 and lines_of(made.stderr) == LOG
    assert cfssljson("-bare", "erp-user1", stdin=made.stdout).returncode == 0
    assert modes(tmp_path) == {"erp-user1.csr": 0o644, "erp-user1-key.pem": 0o600, "erp-user1.pem": 0o644}
    assert (tmp_path / "erp-user1.csr").stat().st_size == 993, "as in the walkthrough"
    assert (tmp_path / "erp-user1-key.pem").read_text().startswith("-----BEGIN RSA PRIVATE KEY-----")
    subject = x509.load_pem_x509_certificate((tmp_path / "erp-user1.pem").read_bytes()).subject
    assert subject.rfc4514_string() == "CN=China,OU=System,O=k8s,L=BeiJing,ST=BeiJing,C=CN"

    config = f"--kubeconfig={tmp_path}/erp-user1.kubeconfig"
    ca = f"--certificate-authority={cluster.pki}/ca.pem"
    out = kubectl(
        "config", "set-cluster", "k8s-my-cluster", ca, "--embed-certs=true", f"--server={cluster.server}", config
    )
    assert out == 'Cluster "k8s-my-cluster" set.\n'
    pair = [f"--client-certificate={tmp_path}/erp-user1.pem", f"--client-key={tmp_path}/erp-user1-key.pem"]
    out = writer_of_users(cluster, kubectl)(
        "config", "set-credentials", "erp-user1", *pair, "--embed-certs=true", config
    )
    assert out == 'User "erp-user1" set.\n'
    context = ["--cluster=k8s-my-cluster", "--user=erp-user1", "--namespace=erp"]
    out = kubectl("config", "set-context", "k8s-my-cluster", *context, config)
    assert out == 'Context "k8s-my-cluster" created.\n'
    assert kubectl("config", "use-context", "k8s-my-cluster", config) == 'Switched to context "k8s-my-cluster".\n'
    refused = kubectl.run("get", "pods", config)
    words = 'pods is forbidden: User "China" cannot list resource "pods" in API group "" in the namespace "erp"'
    assert refused.returncode == 1 and refused.stderr == f"Error from server (Forbidden): {words}\n"


def writer_of_users(cluster: RunningCluster, kubectl: Kubectl) -> Kubectl:
    """Debian's build of kubectl 1.20 crashes at every `config set-credentials`, whatever it is given: a nil pointer
    in its JSON library under Go 1.19, before it asks any server."""
    return kubectl_of("1.32", cluster) if kubectl.version == "1.20" else kubectl


def normal(info: dict[str, Any]) -> dict[str, Any]:
    """cfssl 1.2 leaves out leading zeros in key identifiers, which was mended later."""
    padded = {
        key: ":".join(part.zfill(2) for part in info[key].split(":"))
        for key in ("authority_key_id", "subject_key_id")
    }
    return {**info, **padded}


def test_certinfo_says_the_same(cluster: RunningCluster, tmp_path: Path) -> None:
    theirs = runner(cluster, tmp_path, "cfssl")("certinfo", "-cert", str(cluster.pki / "apiserver.pem"))
    ours = cluster.command("pki", "certinfo", "-cert", str(cluster.pki / "apiserver.pem"))
    assert json.loads(ours.stdout) == normal(json.loads(theirs.stdout))
    assert list(json.loads(ours.stdout)) == list(json.loads(theirs.stdout))
    assert cluster.command("pki", "cert", "info", str(cluster.pki / "apiserver.pem")).stdout == ours.stdout


BAD = {
    "weak.json": '{"CN":"x","key":{"algo":"rsa","size":1024}}',
    "curve.json": '{"CN":"x","key":{"algo":"ecdsa","size":255}}',
    "type.json": '{"CN":1}',
    "half.json": "{",
    "ca.json": '{"CN":"x","ca":{}}',
    "good.json": '{"CN":"x","hosts":["a.b","1.2.3.4"],"names":[{"O":"a"},{"O":"b"}]}',
    "nobody.json": "{}",
}


@pytest.mark.parametrize(
    "words",
    [
        *(["-ca={ca}", "-ca-key={key}", "-config={config}", "-profile=kubernetes", name] for name in BAD),
        ["-ca={ca}", "-ca-key={key}", "-config={config}", "-profile=nope", "good.json"],
        ["-ca={ca}", "-ca-key={key}", "-config={config}", "-profile=kubernetes", "nope.json"],
        ["-ca=nope.pem", "-ca-key={key}", "good.json"],
        ["-ca={ca}", "-ca-key=nope.pem", "good.json"],
        ["-ca={ca}", "-ca-key={ca}", "good.json"],
        ["-ca={key}", "-ca-key={key}", "good.json"],
        ["-ca={ca}", "-ca-key={key}", "-config=nope.json", "good.json"],
        ["-ca={ca}", "-ca-key={key}", "-hostname=c.d", "good.json"],
        ["-initca", "good.json"],
        ["-initca", "nobody.json"],
        [],
    ],
    ids=lambda words: " ".join(words) or "nothing",
)
def test_the_same_words_and_codes(cluster: RunningCluster, tmp_path: Path, words: list[str]) -> None:
    """Whatever is given: what cfssl says on standard error, its exit code, and the kinds of what it makes."""
    for name, text in BAD.items():
        (tmp_path / name).write_text(text)
    paths = {
        "ca": cluster.pki / "ca.pem",
        "key": cluster.pki / "ca-key.pem",
        "config": cluster.pki / "ca-config.json",
    }
    filled = [word.format(**paths) for word in words]
    theirs = runner(cluster, tmp_path, "cfssl", "gencert")(*filled)
    ours = runner(cluster, tmp_path, sys.executable, "-m", "tiphys.cli", "pki", "gencert")(*filled)
    assert lines_of(ours.stderr) == lines_of(theirs.stderr)
    assert ours.returncode == theirs.returncode
    assert sorted(json.loads(ours.stdout or "{}")) == sorted(json.loads(theirs.stdout or "{}"))
    for made in (ours, theirs):
        if made.returncode == 0:
            assert certificate_shape(json.loads(made.stdout)["cert"]) == certificate_shape(
                json.loads(theirs.stdout)["cert"]
            )


def certificate_shape(pem: str) -> Any:
    """All of a certificate but its key, serial number and dates."""
    found = x509.load_pem_x509_certificate(pem.encode())
    identifiers = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
    extensions = [
        (e.oid, e.critical, None if isinstance(e.value, identifiers) else e.value) for e in found.extensions
    ]
    lasts = found.not_valid_after_utc - found.not_valid_before_utc
    return found.subject, found.issuer, extensions, lasts, found.signature_algorithm_oid


def test_check_tells_what_ends(cluster: RunningCluster) -> None:
    assert cluster.command("pki", "check", "--name", cluster.name).returncode == 0
    soon = cluster.command("pki", "check", "--name", cluster.name, "--days", "400", "-o", "json", check=False)
    assert soon.returncode == 1
    found = {Path(entry["file"]).name: entry["status"] for entry in json.loads(soon.stdout)}
    assert found == {"admin.pem": "expires soon", "apiserver.pem": "expires soon", "ca.pem": "ok"}


@pytest.fixture
def alice() -> tuple[bytes, bytes]:
    """(key, request), PEM."""
    key, request = process(CertificateRequest("alice", [NamePart(O="dev")]))
    return key_pem(key), request


@pytest.fixture
def signing_request(kubectl: Kubectl, alice: tuple[bytes, bytes]) -> Iterator[str]:
    name = f"alice-{kubectl.version.replace('.', '-')}"
    spec = {
        "request": base64.b64encode(alice[1]).decode(),
        "signerName": "kubernetes.io/kube-apiserver-client",
        "expirationSeconds": 3600,
        "usages": ["client auth"],
    }
    document = {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"name": name},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps({**document, "spec": spec}))
    yield name
    kubectl("delete", "csr", name)


def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it never came"
    return found


def test_an_approved_request_becomes_a_user(
    cluster: RunningCluster, kubectl: Kubectl, signing_request: str, alice: tuple[bytes, bytes], tmp_path: Path
) -> None:
    assert re.search(r"kube-apiserver-client +kubernetes-admin +60m +Pending", kubectl("get", "csr", signing_request))
    approved = kubectl("certificate", "approve", signing_request)
    assert approved == f"certificatesigningrequest.certificates.k8s.io/{signing_request} approved\n"
    encoded = until(lambda: kubectl("get", "csr", signing_request, "-o", "jsonpath={.status.certificate}"))
    assert "Approved,Issued" in kubectl("get", "csr", signing_request)
    certificate = x509.load_pem_x509_certificate(base64.b64decode(encoded))
    lasts = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lasts == datetime.timedelta(seconds=3600 + 300)
    answer = ask(cluster, tmp_path, Pair(base64.b64decode(encoded), alice[0]))
    assert 'User "alice" cannot list resource "pods"' in answer


def test_a_denied_request_stays_one(kubectl: Kubectl, signing_request: str) -> None:
    kubectl("certificate", "deny", signing_request)
    assert "Denied" in kubectl("get", "csr", signing_request)
    assert kubectl("get", "csr", signing_request, "-o", "jsonpath={.status.certificate}") == ""


def ask(cluster: RunningCluster, tmp_path: Path, pair: Pair) -> str:
    """What kubectl is told that has nothing but this certificate."""
    (tmp_path / "user.pem").write_bytes(pair.certificate)
    (tmp_path / "user-key.pem").write_bytes(pair.key)
    user = [f"--client-certificate={tmp_path}/user.pem", f"--client-key={tmp_path}/user-key.pem"]
    where = [f"--server={cluster.server}", f"--certificate-authority={cluster.pki}/ca.pem", "--kubeconfig=/dev/null"]
    return kubectl_of("1.32", cluster).run(*where, *user, "get", "pods").stderr


def is_cut(cluster: RunningCluster, tmp_path: Path, pair: Pair) -> bool:
    """Whether the server ends a connection that shows this certificate, and answers nothing.

    Asked once, without kubectl: Go clients take a connection that is reset for one to be tried again, for long.
    """
    (tmp_path / "cut.pem").write_bytes(pair.certificate + pair.key)
    context = ssl.create_default_context(cafile=str(cluster.pki / "ca.pem"))
    context.load_cert_chain(tmp_path / "cut.pem")
    where = urlsplit(cluster.server)
    connection = http.client.HTTPSConnection(where.hostname or "", where.port, context=context, timeout=10)
    try:
        connection.request("GET", "/api/v1/namespaces/default/pods")
        connection.getresponse()
    except (ssl.SSLError, ConnectionError, http.client.RemoteDisconnected):
        return True
    finally:
        connection.close()
    return False


def cluster_authority(cluster: RunningCluster) -> Pair:
    return Pair((cluster.pki / "ca.pem").read_bytes(), (cluster.pki / "ca-key.pem").read_bytes())


def issued(authority: Pair, start: float, end: float, serial: int = 0) -> Pair:
    """A master's certificate valid between two times, seconds from now."""
    key, ca_key = ec.generate_private_key(ec.SECP256R1()), serialization.load_pem_private_key(authority.key, None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    now = datetime.datetime.now(datetime.UTC)
    attributes = [(NameOID.ORGANIZATION_NAME, "system:masters"), (NameOID.COMMON_NAME, "mallory")]
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes]))
        .issuer_name(x509.load_pem_x509_certificate(authority.certificate).subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(seconds=start))
        .not_valid_after(now + datetime.timedelta(seconds=end))
        .sign(ca_key, hashes.SHA256())
    )
    return Pair(made.public_bytes(serialization.Encoding.PEM), key_pem(key))


@pytest.mark.parametrize(("start", "end"), [(-7200, -3600), (3600, 7200)], ids=["expired", "not yet valid"])
def test_out_of_its_time_a_certificate_is_refused(
    cluster: RunningCluster, tmp_path: Path, start: int, end: int
) -> None:
    """401 as upstream, whose TLS lets it in and whose authenticator does not."""
    told = ask(cluster, tmp_path, issued(cluster_authority(cluster), start, end))
    assert "You must be logged in to the server" in told, told
    assert "No resources found" in ask(cluster, tmp_path, issued(cluster_authority(cluster), -3600, 3600))


def test_the_names_and_the_serial_of_a_good_certificate_do_not_help(cluster: RunningCluster, tmp_path: Path) -> None:
    """An authority of the same name as the cluster's, and the administrator's serial once more."""
    authority = cluster_authority(cluster)
    name = x509.load_pem_x509_certificate(authority.certificate).subject
    admin = x509.load_pem_x509_certificate((cluster.pki / "admin.pem").read_bytes())
    common = str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    twin = Authority.create(common, time.time()).pair
    assert is_cut(cluster, tmp_path, issued(twin, -3600, 3600, admin.serial_number))
    assert not is_cut(cluster, tmp_path, issued(authority, -3600, 3600, admin.serial_number))


def test_a_foreign_authority_is_refused(cluster: RunningCluster, tmp_path: Path) -> None:
    """Even one that calls itself as ours does."""
    name = x509.load_pem_x509_certificate(cluster_authority(cluster).certificate).subject
    foreign = Authority.create(str(next(iter(name)).value), time.time())
    assert is_cut(cluster, tmp_path, foreign.issue_client("mallory", ["system:masters"], time.time()))
    own = Authority(cluster_authority(cluster))
    assert not is_cut(cluster, tmp_path, own.issue_client("mallory", [], time.time()))


POLICY = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, resources: [{group: "", resources: [secrets]}]}
- {level: RequestResponse, users: [kubernetes-admin], resources: [{group: "", resources: [configmaps]}]}
"""


def test_an_authority_added_later_and_the_audit_log(start_cluster: StartCluster, tmp_path: Path) -> None:
    """Clients of a bundle's new authority are known without a restart; Secrets are not told of beyond their names."""
    bundle, policy, log = tmp_path / "clients.pem", tmp_path / "policy.yaml", tmp_path / "audit.log"
    first, second = (Authority.create(name, time.time()) for name in ("first", "second"))
    bundle.write_bytes(first.pair.certificate)
    policy.write_text(POLICY)
    options = ["--client-ca-file", str(bundle), "--audit-policy-file", str(policy), "--audit-log-path", str(log)]
    cluster = start_cluster("papers", "--simulate", "0", *options)
    joe = second.issue_client("joe", [], time.time())
    assert 'User "ann"' in ask(cluster, tmp_path, first.issue_client("ann", [], time.time()))
    assert is_cut(cluster, tmp_path, joe)
    bundle.write_bytes(first.pair.certificate + second.pair.certificate)
    until(lambda: not is_cut(cluster, tmp_path, joe))
    assert 'User "joe"' in ask(cluster, tmp_path, joe)

    kubectl = kubectl_of("1.37", cluster)
    kubectl("create", "secret", "generic", "s", "--from-literal=password=hunter2")
    kubectl("create", "configmap", "c", "--from-literal=x=y")
    cluster.command("down", "--name", "papers")
    text = log.read_text()
    events = [
        event for event in map(json.loads, text.splitlines()) if event["user"]["username"] == "kubernetes-admin"
    ]
    secret = next(event for event in events if event["objectRef"]["resource"] == "secrets")
    assert (secret["objectRef"]["name"], secret["verb"], secret["level"]) == ("s", "create", "Metadata")
    assert "hunter2" not in text and base64.b64encode(b"hunter2").decode() not in text
    config_map = next(event for event in events if event["objectRef"]["resource"] == "configmaps")
    assert config_map["requestObject"]["data"] == config_map["responseObject"]["data"] == {"x": "y"}


def test_audit_wants_both_files(start_cluster: StartCluster, tmp_path: Path, cluster: RunningCluster) -> None:
    done = cluster.command("up", "--name", "half", "--audit-log-path", str(tmp_path / "a"), check=False)
    assert done.returncode == 2 and "--audit-policy-file is missing" in done.stderr
