"""The breadth of kubectl, by three versions of it: what each command prints is upstream's own (`kubectl/pkg/cmd`)."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients import documents
from tests.clients.conftest import Kubectl

Document = dict[str, Any]


def _apply(kubectl: Kubectl, namespace: str, *items: Document, words: tuple[str, ...] = ()) -> str:
    return kubectl("apply", "-n", namespace, *words, "-f", "-", stdin=yaml.safe_dump_all(items))


def _deploy(kubectl: Kubectl, namespace: str, name: str, replicas: int = 1) -> None:
    _apply(kubectl, namespace, documents.deployment(name, replicas))
    kubectl("rollout", "status", f"deployment/{name}", "-n", namespace, "--timeout=30s")


def _wait_until_gone(kubectl: Kubectl, *words: str) -> None:
    """kubectl 1.20 calls it an error when they are gone already."""
    done = kubectl.run("wait", *words, "--for=delete", "--timeout=30s")
    assert done.returncode == 0 or done.stderr == "error: no matching resources found\n", done.stderr


def test_apply(kubectl: Kubectl, namespace: str) -> None:
    first = documents.config_map("settings", a="1", b="2")
    assert _apply(kubectl, namespace, first) == "configmap/settings created\n"
    assert _apply(kubectl, namespace, first) == "configmap/settings unchanged\n"
    second = documents.config_map("settings", {"tier": "back"}, b="3")
    assert _apply(kubectl, namespace, second) == "configmap/settings configured\n"
    found = kubectl.json("get", "cm", "settings", "-n", namespace)
    assert (found["data"], found["metadata"]["labels"]) == ({"b": "3"}, {"tier": "back"})
    last = kubectl("apply", "view-last-applied", "cm/settings", "-n", namespace, "-o", "json")
    assert json.loads(last)["data"] == {"b": "3"}


def test_apply_deployment_merges_by_key(kubectl: Kubectl, namespace: str) -> None:
    """A three-way strategic merge: what others added stays, what was applied and is no longer goes."""
    document = documents.deployment("web")
    document["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    _apply(kubectl, namespace, document)
    kubectl("set", "env", "deployment/web", "B=2", "-n", namespace)
    document["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "C", "value": "3"}]
    assert _apply(kubectl, namespace, document) == "deployment.apps/web configured\n"
    path = "jsonpath={.spec.template.spec.containers[0].env[*].name}"
    found = kubectl("get", "deployment", "web", "-n", namespace, "-o", path)
    assert sorted(found.split()) == ["B", "C"]
    version = ("get", "deployment", "web", "-n", namespace, "-o", "jsonpath={.metadata.generation}")
    before = kubectl(*version)
    _apply(kubectl, namespace, document)  # says "configured": kubectl sends an order of its elements, B being there
    assert kubectl(*version) == before


def test_dry_run_and_diff(kubectl: Kubectl, namespace: str) -> None:
    document = documents.config_map("dry", a="1")
    said = _apply(kubectl, namespace, document, words=("--dry-run=server",))
    assert said == "configmap/dry created (server dry run)\n"
    assert kubectl("get", "cm", "dry", "-n", namespace, "--ignore-not-found") == ""
    _apply(kubectl, namespace, document)
    text = yaml.safe_dump(document)
    assert kubectl("diff", "-n", namespace, "-f", "-", stdin=text) == ""
    changed = yaml.safe_dump(documents.config_map("dry", a="2"))
    differs = kubectl.run("diff", "-n", namespace, "-f", "-", stdin=changed)
    assert differs.returncode == 1
    assert '-  a: "1"' in differs.stdout.splitlines()
    assert '+  a: "2"' in differs.stdout.splitlines()
    wrong = {**document, "data": {"a": 1}}
    refused = kubectl.run(
        "apply", "-n", namespace, "--dry-run=server", "--validate=false", "-f", "-", stdin=yaml.dump(wrong)
    )
    assert refused.returncode == 1
    assert "cannot unmarshal number into Go struct field ConfigMap.data of type string" in refused.stderr


def test_prune(kubectl: Kubectl, namespace: str) -> None:
    labels = {"set": "mine"}
    keep = documents.config_map("keep", labels, a="1")
    _apply(kubectl, namespace, keep, documents.config_map("drop", labels, a="1"))
    flag = "--prune-whitelist" if kubectl.version == "1.20" else "--prune-allowlist"
    said = _apply(kubectl, namespace, keep, words=("--prune", "-l", "set=mine", f"{flag}=core/v1/ConfigMap"))
    assert said.splitlines() == ["configmap/keep unchanged", "configmap/drop pruned"]


def test_kustomize(kubectl: Kubectl, namespace: str, tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(yaml.safe_dump(documents.deployment("web")))
    generator = [{"name": "made", "literals": ["a=1"]}]
    plan = {"resources": ["web.yaml"], "namePrefix": "my-", "namespace": namespace, "configMapGenerator": generator}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(plan))
    said = kubectl("apply", "-k", str(tmp_path)).splitlines()
    assert re.fullmatch(r"configmap/my-made-[0-9a-z]{10} created", said[0])
    assert said[1] == "deployment.apps/my-web created"
    assert kubectl("delete", "-k", str(tmp_path)).count(" deleted") == 2


def test_edit_and_replace(kubectl: Kubectl, namespace: str) -> None:
    _apply(kubectl, namespace, documents.config_map("edited", word="before"))
    editor = replace(kubectl, environment={**kubectl.environment, "KUBE_EDITOR": "sed -i s/before/after/"})
    assert editor("edit", "cm/edited", "-n", namespace) == "configmap/edited edited\n"
    assert kubectl("get", "cm", "edited", "-n", namespace, "-o", "jsonpath={.data.word}") == "after"
    text = json.dumps(documents.config_map("edited", word="whole"))
    assert kubectl("replace", "-n", namespace, "-f", "-", stdin=text) == "configmap/edited replaced\n"
    forced = kubectl("replace", "--force", "-n", namespace, "-f", "-", stdin=text)
    assert forced.splitlines()[-1] == "configmap/edited replaced"


def test_patches(kubectl: Kubectl, namespace: str) -> None:
    _apply(kubectl, namespace, documents.deployment("web"))
    container = '{"spec":{"template":{"spec":{"containers":[{"name":"side","image":"busybox"}]}}}}'
    patch = ("patch", "deployment", "web", "-n", namespace)
    assert kubectl(*patch, "-p", container) == "deployment.apps/web patched\n"
    images = "jsonpath={.spec.template.spec.containers[*].image}"
    got = ("get", "deployment", "web", "-n", namespace, "-o", images)
    assert sorted(kubectl(*got).split()) == ["busybox", "nginx:1.22.0"]
    assert kubectl(*patch, "--type=merge", "-p", container) == "deployment.apps/web patched\n"
    assert kubectl(*got) == "busybox"
    operation = '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"alpine"}]'
    assert kubectl(*patch, "--type=json", "-p", operation) == "deployment.apps/web patched\n"
    assert kubectl(*got) == "alpine"
    assert kubectl(*patch, "--type=json", "-p", operation) == "deployment.apps/web patched (no change)\n"
    refused = kubectl.run(*patch, "--type=json", "-p", '[{"op":"test","path":"/metadata/name","value":"x"}]')
    assert refused.returncode == 1
    assert refused.stderr.startswith("The request is invalid")  # a 422 with no details: kubectl says no more


def test_labels_and_annotations(kubectl: Kubectl, namespace: str) -> None:
    _apply(kubectl, namespace, documents.config_map("one"))
    on = ("cm", "one", "-n", namespace)
    assert kubectl("label", *on, "tier=front") == "configmap/one labeled\n"
    refused = kubectl.run("label", *on, "tier=back")
    assert "'tier' already has a value (front), and --overwrite is false" in refused.stderr
    assert kubectl("label", *on, "tier=back", "--overwrite").startswith("configmap/one ")
    assert kubectl("get", "cm", "-n", namespace, "-l", "tier in (back)", "-L", "tier").split()[-1] == "back"
    assert kubectl("label", *on, "tier-").startswith("configmap/one ")
    assert kubectl("annotate", *on, "note=a b").startswith("configmap/one annotate")
    assert kubectl("get", *on, "-o", "jsonpath={.metadata.annotations.note}") == "a b"
    assert "invalid label value" in kubectl.run("label", *on, "tier=a b").stderr


def test_outputs_and_selectors(kubectl: Kubectl, namespace: str) -> None:
    for name in ("b", "a", "c"):
        _apply(kubectl, namespace, documents.config_map(name, {"of": "test", "name": name}, size=name * 3))
    get = ("get", "cm", "-n", namespace, "-l", "of=test")
    assert kubectl(*get, "-o", "name").split() == ["configmap/a", "configmap/b", "configmap/c"]
    table = [line.split() for line in kubectl(*get).splitlines()]
    assert table[0] == ["NAME", "DATA", "AGE"]
    assert [row[:2] for row in table[1:]] == [["a", "1"], ["b", "1"], ["c", "1"]]
    assert len(kubectl(*get, "--no-headers").splitlines()) == 3
    assert kubectl(*get, "--chunk-size=1", "-o", "name").split() == ["configmap/a", "configmap/b", "configmap/c"]
    assert [item["metadata"]["name"] for item in kubectl.json(*get)["items"]] == ["a", "b", "c"]
    assert yaml.safe_load(kubectl(*get, "-o", "yaml"))["kind"] == "List"
    assert kubectl(*get, "-o", "jsonpath={range .items[*]}{.data.size} {end}") == "aaa bbb ccc "
    columns = kubectl(*get, "-o", "custom-columns=NAME:.metadata.name,SIZE:.data.size")
    assert [line.split() for line in columns.splitlines()] == [
        ["NAME", "SIZE"],
        ["a", "aaa"],
        ["b", "bbb"],
        ["c", "ccc"],
    ]
    by_age = kubectl(*get, "--sort-by=.metadata.resourceVersion", "-o", "name").split()
    assert set(by_age) == {"configmap/a", "configmap/b", "configmap/c"}
    assert kubectl(*get, "--sort-by={.data.size}", "--no-headers").split()[::3] == ["a", "b", "c"]
    some = kubectl(
        "get", "cm", "-n", namespace, "-l", "name!=a,of", "--field-selector=metadata.name!=c", "-o", "name"
    )
    assert some == "configmap/b\n"
    refused = kubectl.run("get", "cm", "-n", namespace, "--field-selector=data.size=aaa")
    known = 'only "metadata.name", "metadata.namespace"'
    assert f'"data.size" is not a known field selector: {known}' in refused.stderr
    missing = kubectl.run("get", "cm", "none", "-n", namespace)
    assert missing.stderr == 'Error from server (NotFound): configmaps "none" not found\n'
    nothing = kubectl.run("get", "cm", "-n", namespace, "-l", "of=nothing")
    assert nothing.stderr == f"No resources found in {namespace} namespace.\n"


def test_wide(kubectl: Kubectl, namespace: str) -> None:
    _deploy(kubectl, namespace, "web")
    pods = kubectl("get", "pods", "-n", namespace, "-o", "wide").splitlines()
    assert re.split(r"\s{2,}", pods[0]) == [
        *("NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES"),
    ]
    assert re.fullmatch(r"web-\S+ +1/1 +Running +0 +\S+ +10\.244\.\d+\.\d+ +node-\d +<none> +<none>", pods[1])
    wide = kubectl("get", "deployment", "web", "-n", namespace, "-o", "wide").splitlines()[1].split()
    assert wide[:4] + wide[5:] == ["web", "1/1", "1", "1", "main", "nginx:1.22.0", "app=web"]
    everything = kubectl("get", "all", "-n", namespace, "-o", "name").split()
    assert [name.split("/")[0] for name in everything] == ["pod", "deployment.apps", "replicaset.apps"]


def test_watch(kubectl: Kubectl, namespace: str) -> None:
    _apply(kubectl, namespace, documents.config_map("seen", {"of": "watch"}))
    words = ["get", "cm", "-n", namespace, "-l", "of=watch", "--watch", "--output-watch-events", "-o", "name"]
    seen = []
    with subprocess.Popen(
        [str(kubectl.binary), *words], stdout=subprocess.PIPE, text=True, env=kubectl.environment
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            seen.append(line.split()[-1] if kubectl.version == "1.20" else line.strip())
            if len(seen) == 1:
                kubectl("annotate", "cm", "seen", "-n", namespace, "a=b")
            elif len(seen) == 2:
                kubectl("delete", "cm", "seen", "-n", namespace)
            else:
                process.kill()
                break
    assert len(seen) == 3
    assert all("configmap/seen" in line for line in seen)


def test_describe(kubectl: Kubectl, namespace: str) -> None:
    _deploy(kubectl, namespace, "web")
    service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    named = {"apiVersion": "v1", "metadata": {"name": "it"}}
    _apply(
        kubectl,
        namespace,
        {**named, "kind": "Service", "spec": service},
        {**named, "kind": "Secret", "stringData": {"password": "abc"}},
        {**named, "kind": "PersistentVolumeClaim", "spec": claim},
        {**named, "kind": "ResourceQuota", "spec": {"hard": {"configmaps": "10"}}},
        documents.config_map("it", key="value"),
    )

    def described(*words: str) -> str:
        return re.sub(r"[ \t]+", " ", kubectl("describe", *words, "-n", namespace))

    pod = described("pods", "-l", "app=web")
    for line in (
        "Status: Running",
        "Controlled By: ReplicaSet/web-",
        "QoS Class: Burstable",
        " cpu: 10m",
        " Ready True",
    ):
        assert line in pod
    assert re.search(r"Normal Scheduled \S+ (\(x\d+ over \S+\) )?default-scheduler Successfully assigned ", pod)
    deployment = described("deployment", "web")
    assert "Replicas: 1 desired | 1 updated | 1 total | 1 available | 0 unavailable" in deployment
    assert "NewReplicaSet: web-" in deployment
    assert "Normal ScalingReplicaSet" in deployment
    assert re.search(r"IP: +10\.96\.", described("service", "it"))
    assert "key:\n----\nvalue\n" in described("configmap", "it")
    assert "password: 3 bytes" in described("secret", "it")
    assert "Status: Pending" in described("pvc", "it")
    assert re.search(r"configmaps +\d +10", described("quota", "it"))
    assert "Status: Active" in described("namespace", namespace)
    node = described("node", "node-1")
    for line in ("Taints: <none>", "KubeletReady", "PodCIDR: 10.244."):
        assert line in node
    assert re.search(r"RenewTime: \w", node)


def test_discovery(kubectl: Kubectl) -> None:
    resources = [line.split() for line in kubectl("api-resources", "--no-headers").splitlines()]
    assert ["deployments", "deploy", "apps/v1", "true", "Deployment"] in resources
    assert kubectl("api-resources", "--namespaced=false", "--api-group=", "-o", "name").split() == [
        "componentstatuses",
        "namespaces",
        "nodes",
        "persistentvolumes",
    ]
    versions = kubectl("api-versions").split()
    assert {"v1", "apps/v1", "rbac.authorization.k8s.io/v1"} <= set(versions)
    assert versions == sorted(versions)
    explained = kubectl("explain", "deployment.spec.strategy.rollingUpdate")
    assert re.search(r"KIND: +Deployment", explained)
    assert "maxSurge" in explained
    assert "is running at" in kubectl("cluster-info")
    assert json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"].startswith("v1.37.")


def test_raw(kubectl: Kubectl, namespace: str) -> None:
    assert json.loads(kubectl("get", "--raw", "/version"))["major"] == "1"
    assert kubectl("get", "--raw", "/readyz") == "ok"
    assert "[+]ping ok" in kubectl("get", "--raw", "/livez?verbose")
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    made = kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(documents.config_map("raw")))
    assert json.loads(made)["metadata"]["name"] == "raw"
    assert json.loads(kubectl("delete", "--raw", f"{path}/raw"))["status"] == "Success"


def test_rollouts(kubectl: Kubectl, namespace: str) -> None:
    web = ("deployment/web", "-n", namespace)
    wait = ("rollout", "status", *web, "--timeout=30s")
    _deploy(kubectl, namespace, "web", 2)
    assert kubectl("set", "image", *web, "main=nginx:2") == "deployment.apps/web image updated\n"
    assert kubectl(*wait).splitlines()[-1] == 'deployment "web" successfully rolled out'
    kubectl("annotate", *web, "kubernetes.io/change-cause=second")
    history = [line.split() for line in kubectl("rollout", "history", *web).splitlines() if line]
    assert history == [["deployment.apps/web"], ["REVISION", "CHANGE-CAUSE"], ["1", "<none>"], ["2", "second"]]
    assert "nginx:2" in kubectl("rollout", "history", *web, "--revision=2")
    assert kubectl("rollout", "undo", *web) == "deployment.apps/web rolled back\n"
    kubectl(*wait)
    assert kubectl("get", *web, "-o", "jsonpath={..image}") == "nginx:1.22.0"
    assert kubectl("rollout", "pause", *web) == "deployment.apps/web paused\n"
    assert "is already paused" in kubectl.run("rollout", "pause", *web).stderr
    assert kubectl("rollout", "resume", *web) == "deployment.apps/web resumed\n"
    assert kubectl("rollout", "restart", *web) == "deployment.apps/web restarted\n"
    kubectl(*wait)
    template = kubectl("get", *web, "-o", "jsonpath={.spec.template.metadata.annotations}")
    assert "kubectl.kubernetes.io/restartedAt" in template


def test_scale_and_wait(kubectl: Kubectl, namespace: str) -> None:
    web = ("deployment/web", "-n", namespace)
    _deploy(kubectl, namespace, "web")
    assert kubectl("scale", *web, "--replicas=3") == "deployment.apps/web scaled\n"
    kubectl("rollout", "status", *web, "--timeout=30s")
    ready = kubectl("wait", "pods", "-l", "app=web", "-n", namespace, "--for=condition=Ready", "--timeout=30s")
    assert ready.count(" condition met\n") == 3
    refused = kubectl.run("scale", *web, "--replicas=1", "--current-replicas=9")
    assert refused.returncode == 1
    assert "Expected replicas to be 9, was 3" in refused.stderr
    assert kubectl("scale", *web, "--replicas=0") == "deployment.apps/web scaled\n"
    _wait_until_gone(kubectl, "pods", "-l", "app=web", "-n", namespace)
    assert kubectl("get", "pods", "-n", namespace, "-o", "name") == ""


@pytest.mark.parametrize("cascade", ["orphan", "background", "foreground"])
def test_cascades(kubectl: Kubectl, namespace: str, cascade: str) -> None:
    _deploy(kubectl, namespace, "web", 2)
    said = kubectl("delete", "deployment", "web", "-n", namespace, f"--cascade={cascade}")
    assert said.startswith('deployment.apps "web" deleted')
    pods = ("pods", "-l", "app=web", "-n", namespace)
    if cascade == "orphan":
        jsonpath = "jsonpath={.items[0].metadata.ownerReferences}"
        assert kubectl("get", "rs", "-n", namespace, "-o", jsonpath) == ""
        assert len(kubectl("get", *pods, "-o", "name").split()) == 2
        return
    _wait_until_gone(kubectl, "rs", "-l", "app=web", "-n", namespace)
    _wait_until_gone(kubectl, *pods)
    assert kubectl("get", "rs,pods", "-n", namespace, "-o", "name") == ""


def test_nodes_are_cordoned_drained_and_tainted(kubectl: Kubectl, namespace: str) -> None:
    _deploy(kubectl, namespace, "drained", 3)
    where = "jsonpath={range .items[*]}{.spec.nodeName}{'\\n'}{end}"
    on = ("get", "pods", "-n", namespace, "--field-selector=status.phase=Running", "-o", where)
    node = kubectl(*on).split()[0]
    assert kubectl("cordon", node) == f"node/{node} cordoned\n"
    assert kubectl("get", "node", node, "--no-headers").split()[1] == "Ready,SchedulingDisabled"
    try:
        said = kubectl("drain", node, "--pod-selector=app=drained", "--ignore-daemonsets", "--timeout=30s")
        assert said.splitlines()[-1] == f"node/{node} {'evicted' if kubectl.version == '1.20' else 'drained'}"
        kubectl("rollout", "status", "deployment/drained", "-n", namespace, "--timeout=30s")
        assert node not in kubectl(*on).split()
    finally:
        assert kubectl("uncordon", node) == f"node/{node} uncordoned\n"
    assert kubectl("taint", "node", node, "by=test:PreferNoSchedule") == f"node/{node} tainted\n"
    assert "by=test:PreferNoSchedule" in kubectl("describe", "node", node)
    assert kubectl("taint", "node", node, "by-") == f"node/{node} untainted\n"


def test_events(kubectl: Kubectl, namespace: str) -> None:
    _deploy(kubectl, namespace, "web")
    listed = kubectl("get", "events", "-n", namespace, "--field-selector=involvedObject.kind=Deployment").splitlines()
    assert re.split(r"\s{2,}", listed[0]) == ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert re.fullmatch(
        r"\S+ +Normal +ScalingReplicaSet +deployment/web +Scaled up replica set web-\S+ from 0 to 1", listed[1]
    )
    if kubectl.version != "1.20":  # kubectl events came in 1.23
        assert "Scaled up replica set" in kubectl("events", "--for", "deployment/web", "-n", namespace)


def test_imperative_creates(kubectl: Kubectl, namespace: str) -> None:
    """Commands that send protobuf, in versions that do."""
    on = ("-n", namespace)
    assert (
        kubectl("create", "deployment", "web", "--image=nginx", "--replicas=2", *on)
        == "deployment.apps/web created\n"
    )
    assert kubectl("create", "configmap", "one", "--from-literal=a=b", *on) == "configmap/one created\n"
    assert kubectl("create", "secret", "generic", "one", "--from-literal=a=b", *on) == "secret/one created\n"
    assert kubectl("create", "serviceaccount", "one", *on) == "serviceaccount/one created\n"
    assert kubectl("create", "quota", "one", "--hard=pods=9", *on) == "resourcequota/one created\n"
    assert kubectl("create", "service", "clusterip", "one", "--tcp=80:8080", *on) == "service/one created\n"
    assert kubectl("expose", "deployment", "web", "--port=80", *on) == "service/web exposed\n"
    assert kubectl("run", "single", "--image=nginx", "--restart=Never", *on) == "pod/single created\n"
    assert kubectl("create", "job", "once", "--image=busybox", *on) == "job.batch/once created\n"
    role = ("create", "role", "reader", "--verb=get", "--verb=list", "--resource=pods", *on)
    assert kubectl(*role) == "role.rbac.authorization.k8s.io/reader created\n"
    again = kubectl.run("create", "configmap", "one", *on)
    assert 'configmaps "one" already exists' in again.stderr
    assert kubectl("get", "service", "web", *on, "-o", "jsonpath={.spec.selector.app}") == "web"
    kubectl("wait", "pod/single", "--for=condition=Ready", "--timeout=30s", *on)


def test_validation_of_manifests(kubectl: Kubectl, namespace: str) -> None:
    """Older kubectls check against the OpenAPI document themselves, newer ones let the server (fieldValidation)."""
    document = documents.deployment("wrong")
    document["spec"]["replicaz"] = 1
    refused = kubectl.run("apply", "-n", namespace, "-f", "-", stdin=yaml.safe_dump(document))
    assert refused.returncode == 1
    if kubectl.version == "1.20":
        assert 'unknown field "replicaz" in io.k8s.api.apps.v1.DeploymentSpec' in refused.stderr
    else:
        assert 'strict decoding error: unknown field "spec.replicaz"' in refused.stderr


def test_who_am_i(kubectl: Kubectl) -> None:
    assert kubectl("auth", "can-i", "delete", "nodes").strip() == "yes"
    if kubectl.version != "1.20":  # kubectl auth whoami came in 1.26
        review = json.loads(kubectl("auth", "whoami", "-o", "json"))
        assert review["status"]["userInfo"]["username"] == "kubernetes-admin"
        assert "system:masters" in review["status"]["userInfo"]["groups"]
