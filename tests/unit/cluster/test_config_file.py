"""The configuration file: kind's v1alpha4 (kind.sigs.k8s.io/docs/user/configuration) and our own fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from tiphys.cluster.config_file import parse_version, read
from tiphys.cluster.failure import UsageFailure
from tiphys.cluster.settings import Settings, from_document, simulated_workers
from tiphys.node.simulated.template import NodeTemplate

HEAD = "kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\n"


def _read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "cluster.yaml"
    path.write_text(text)
    return read(path, Settings(name="default"))


def test_what_kind_knows(tmp_path: Path) -> None:
    found = _read(
        tmp_path,
        HEAD
        + """
name: demo
networking: {apiServerPort: 7443, podSubnet: 10.10.0.0/16, serviceSubnet: 10.20.0.0/16}
runtimeConfig: {"batch/v1beta1": "true"}
nodes:
- role: control-plane
- role: worker
  labels: {disk: ssd}
- {name: big, cpu: "64", memory: 1024Gi, extended: {nvidia.com/gpu: 8}}
tiphys: {kubernetesVersion: "1.30", historySeconds: 1}
""",
    )
    assert (found.name, found.port, found.minor) == ("demo", 7443, 30)
    assert found.history_seconds == 1.0
    assert (found.pod_network(), found.service_subnet) == ("10.10.0.0/16", "10.20.0.0/16")
    assert found.runtime_config == {"batch/v1beta1": True}
    assert found.nodes == (
        NodeTemplate("control-plane-1", "control-plane"),
        NodeTemplate("worker-2", labels={"disk": "ssd"}),
        NodeTemplate("big", cpu="64", memory="1Ti", extended={"nvidia.com/gpu": "8"}),
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "must be kind: Cluster"),
        ("- 1", "must be a mapping"),
        (HEAD + "featureGates: {X: true}", "featureGates: unrecognized feature gate: X"),
        (HEAD + "nodes: 3", "nodes: must be a list"),
        (HEAD + "nodes: [{role: boss}]", r"nodes\[0\].role: must be worker or control-plane"),
        (HEAD + "nodes: [{image: kindest/node}]", r"nodes\[0\]: field 'image' is not supported"),
        (HEAD + "nodes: [{cpu: lots}]", r"nodes\[0\].cpu: 'lots'"),
        (HEAD + "nodes: [{name: A_b}]", r"nodes\[0\].name: 'A_b'"),
        (HEAD + "networking: {apiServerPort: 70000}", "networking.apiServerPort: must be a port number"),
        (HEAD + "networking: {podSubnet: 10.0.0.1/8}", "networking.podSubnet: 10.0.0.1/8 has host bits set"),
        (HEAD + "tiphys: {kubernetesVersion: two}", "tiphys.kubernetesVersion"),
        (HEAD + "tiphys: {historySeconds: 0}", "tiphys.historySeconds: must be a number of seconds above 0"),
        (HEAD + "runtimeConfig: {x: maybe}", "runtimeConfig.x: must be true or false"),
        ("a: [", "cluster.yaml"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UsageFailure, match=words):
        _read(tmp_path, text)


def test_the_schedulers_file(tmp_path: Path) -> None:
    """It is looked for beside the configuration and read at once, before anything starts."""
    (tmp_path / "scheduler.yaml").write_text("kind: KubeSchedulerConfiguration\n")
    text = HEAD + "tiphys: {schedulerConfig: scheduler.yaml}\n"
    with pytest.raises(UsageFailure, match=r"tiphys.schedulerConfig: .*scheduler.yaml: must be kind: "):
        _read(tmp_path, text)
    right = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"
    (tmp_path / "scheduler.yaml").write_text(right)
    assert _read(tmp_path, text).scheduler_config == str(tmp_path / "scheduler.yaml")
    assert _read(tmp_path, HEAD + "tiphys: {schedulerConfig: ''}\n").scheduler_config == ""


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageFailure, match="No such file"):
        read(tmp_path / "none.yaml", Settings(name="x"))


def test_versions() -> None:
    assert [parse_version(text) for text in ("1.30", "v1.37", "1.25.3")] == [30, 37, 25]
    for text in ("", "1", "2.30", "1.x", "1.30.1.1"):
        with pytest.raises(ValueError, match="not of the form"):
            parse_version(text)


def test_settings_survive_the_disk() -> None:
    settings = Settings(name="x", minor=30, nodes=simulated_workers(2), runtime_config={"a/v1": True})
    assert from_document({**settings.document(), "of-another-release": 1}) == settings
