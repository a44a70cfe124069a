"""kubeconfig merging. Expectations follow client-go tools/clientcmd (loader.go, config.go)."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from tiphys.pki import kubeconfig
from tiphys.pki.authority import Pair

ADMIN = Pair(b"certificate", b"key")
OTHER = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "other", "cluster": {"server": "https://other"}}],
    "users": [{"name": "other", "user": {"token": "t"}}],
    "contexts": [{"name": "other", "context": {"cluster": "other", "user": "other", "namespace": "n"}}],
    "current-context": "other",
    "preferences": {"colors": True},
}


def test_default_file_is_where_kubectl_writes(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    listed = {"KUBECONFIG": f"{first}:{second}", "HOME": str(tmp_path)}
    assert kubeconfig.default_file(listed) == second
    second.touch()
    assert kubeconfig.default_file(listed) == second
    first.touch()
    assert kubeconfig.default_file(listed) == first
    assert kubeconfig.default_file({"HOME": str(tmp_path)}) == tmp_path / ".kube" / "config"


def test_merge_keeps_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(OTHER))
    kubeconfig.merge(path, kubeconfig.build("dev", "https://127.0.0.1:6443", b"ca", ADMIN))
    kubeconfig.merge(path, kubeconfig.build("dev", "https://127.0.0.1:7443", b"ca", ADMIN))
    merged = yaml.safe_load(path.read_text())
    assert [c["name"] for c in merged["clusters"]] == ["other", "tiphys-dev"]
    assert merged["clusters"][1]["cluster"]["server"] == "https://127.0.0.1:7443"
    assert merged["current-context"] == "tiphys-dev"
    assert merged["preferences"] == {"colors": True}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_remove_takes_out_only_its_own(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(OTHER))
    kubeconfig.merge(path, kubeconfig.build("dev", "https://127.0.0.1:6443", b"ca", ADMIN))
    assert kubeconfig.remove(path, "dev")
    assert yaml.safe_load(path.read_text()) == {**OTHER, "current-context": ""}
    assert not kubeconfig.remove(path, "dev")
    assert not kubeconfig.remove(tmp_path / "missing", "dev")


def test_merge_makes_a_new_file_through_a_link(tmp_path: Path) -> None:
    target = tmp_path / "real"
    target.write_text("")
    link = tmp_path / "config"
    link.symlink_to(target)
    kubeconfig.merge(link, kubeconfig.build("dev", "https://127.0.0.1:6443", b"ca", ADMIN))
    assert link.is_symlink()
    assert yaml.safe_load(target.read_text())["current-context"] == "tiphys-dev"


@pytest.mark.parametrize("text", ["[1, 2]", "clusters: 3", "clusters: [x]", "a: [", "\x00"])
def test_what_is_no_kubeconfig_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(kubeconfig.KubeconfigError, match="--kubeconfig"):
        kubeconfig.merge(path, kubeconfig.build("dev", "https://127.0.0.1:6443", b"ca", ADMIN))
    assert path.read_text() == text
