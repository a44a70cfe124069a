"""`tiphys up`, `down`, `status`, `list`, `kubeconfig`, `version`, as a user types them. Expectations are ours."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.clients.conftest import RunningCluster, TiphysCommand, kubectl_of


@pytest.fixture
def own(tmp_path: Path) -> Iterator[TiphysCommand]:
    """A command whose clusters are this test's alone."""
    command = TiphysCommand(tmp_path)
    yield command
    listed = json.loads(command("list", "-o", "json").stdout)
    for cluster in listed:
        command("down", "--name", cluster["name"], "--purge")


def test_state_survives_down_and_up(own: TiphysCommand) -> None:
    own("up", "--simulate", "2", "--name", "keep")
    config = own.kubeconfig
    assert yaml.safe_load(config.read_text())["current-context"] == "tiphys-keep"
    kubectl = kubectl_of("1.37", _running(own, "keep"))
    kubectl("apply", "-f", "-", stdin="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: kept}\ndata: {a: b}\n")
    before = kubectl.json("get", "configmap", "kept")
    server = json.loads(own("status", "--name", "keep", "-o", "json").stdout)["server"]

    assert own("down", "--name", "keep").stdout == "Cluster keep stopped\n"
    assert yaml.safe_load(config.read_text())["contexts"] == []
    stopped = own("status", "--name", "keep", check=False)
    assert (stopped.returncode, "is stopped" in stopped.stdout) == (1, True)

    own("up", "--name", "keep")
    told = json.loads(own("status", "--name", "keep", "-o", "json").stdout)
    assert (told["server"], told["nodesReady"]) == (server, 2)
    assert kubectl.json("get", "configmap", "kept") == before

    assert own("down", "--name", "keep", "--purge").stdout == "Cluster keep stopped; its state is removed\n"
    assert not (own.home / "state" / "keep").exists()


def test_a_second_up_says_how_to_mend_it(own: TiphysCommand) -> None:
    own("up", "--simulate", "0", "--name", "twice")
    again = own("up", "--name", "twice", check=False)
    assert again.returncode == 1
    assert re.fullmatch(
        r"tiphys: cluster 'twice' is already running \(pid \d+\); stop it with: tiphys down --name twice\n",
        again.stderr,
    )


def test_a_taken_port_says_how_to_mend_it(own: TiphysCommand) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        failed = own("up", "--simulate", "0", "--name", "port", "--port", str(port), check=False)
    assert failed.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another with --port" in failed.stderr


def test_an_unusable_directory_says_how_to_mend_it(own: TiphysCommand) -> None:
    (own.home / "file").touch()
    failed = own("up", "--name", "d", "--state-dir", str(own.home / "file"), check=False)
    assert failed.returncode == 1
    assert re.fullmatch(r"tiphys: cannot write to .*: Not a directory; .*--state-dir\n", failed.stderr)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("up", "--simulate", "x"), "Invalid value for '--simulate'"),
        (("up", "--simulate", "-1"), "Invalid value for '--simulate'"),
        (("up", "--name", "A_b"), "cluster name 'A_b'"),
        (("up", "--kubernetes-version", "1.99"), "1.99 is not one of 1.25 to 1.37"),
        (("up", "--kubernetes-version", "new"), "not of the form 1.37"),
        (("up", "--store", "mysql://x"), "names no store"),
        (("up", "--config", "/does/not/exist"), "No such file"),
        (("up", "--frob"), "No such option"),
        (("frob",), "No such command"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(own: TiphysCommand, words: tuple[str, ...], complaint: str) -> None:
    failed = own(*words, check=False)
    assert failed.returncode == 2
    last = failed.stderr.strip().splitlines()[-1]
    assert last.startswith("tiphys: ")
    assert complaint in last
    assert "Traceback" not in failed.stderr


def test_a_config_file(own: TiphysCommand) -> None:
    path = own.home / "cluster.yaml"
    path.write_text(
        "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: filed\n"
        "nodes: [{role: control-plane}, {role: worker, labels: {disk: ssd}, extended: {nvidia.com/gpu: 4}}]\n"
        'tiphys: {kubernetesVersion: "1.30"}\n'
    )
    own("up", "--config", str(path))
    kubectl = kubectl_of("1.32", _running(own, "filed"))
    nodes = {node["metadata"]["name"]: node for node in kubectl.json("get", "nodes")["items"]}
    assert sorted(nodes) == ["control-plane-1", "worker-2"]
    assert nodes["control-plane-1"]["spec"]["taints"][0]["key"] == "node-role.kubernetes.io/control-plane"
    assert nodes["worker-2"]["metadata"]["labels"]["disk"] == "ssd"
    assert nodes["worker-2"]["status"]["allocatable"]["nvidia.com/gpu"] == "4"
    assert kubectl.json("version")["serverVersion"]["gitVersion"] == "v1.30.0"


def test_the_printed_kubeconfig_works(own: TiphysCommand) -> None:
    own("up", "--simulate", "0", "--name", "printed")
    printed = own.home / "printed.yaml"
    printed.write_text(own("kubeconfig", "--name", "printed").stdout)
    own.kubeconfig.unlink()
    kubectl = kubectl_of("1.20", _running(own, "printed"))
    assert "default" in kubectl("--kubeconfig", str(printed), "get", "namespaces")


def test_version(own: TiphysCommand) -> None:
    told = json.loads(own("version", "-o", "json").stdout)
    assert told["kubernetes"] == [f"1.{minor}" for minor in range(25, 38)]


def _running(command: TiphysCommand, name: str) -> RunningCluster:
    return RunningCluster(command, name, json.loads(command("status", "--name", name, "-o", "json").stdout))
