"""The cluster's entry in the user's kubeconfig: added on `up`, removed on `down`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tiphys.base.document import Document
from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.failure import ClusterFailure
from tiphys.cluster.settings import Settings
from tiphys.pki import kubeconfig
from tiphys.pki.pair import Pair


def choose_file(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """Settings that name the kubeconfig to use: the one given or saved, else kubectl's own choice."""
    if settings.kubeconfig:
        return settings
    return settings.with_overrides(kubeconfig=str(kubeconfig.default_file(environment).absolute()))


def server_url(settings: Settings) -> str:
    host = f"[{settings.address}]" if ":" in settings.address else settings.address
    return f"https://{host}:{settings.port}"


def describe(settings: Settings) -> dict[str, Any]:
    return {
        "server": server_url(settings),
        "context": kubeconfig.context_name(settings.name),
        "kubeconfig": settings.kubeconfig,
        "kubernetesVersion": f"1.{settings.minor}",
    }


def admin(directory: ClusterDirectory, settings: Settings) -> Document:
    """A kubeconfig for the administrator. Raises ClusterFailure if the certificates are gone."""
    try:
        ca = (directory.pki / "ca.pem").read_bytes()
        pair = Pair((directory.pki / "admin.pem").read_bytes(), (directory.pki / "admin-key.pem").read_bytes())
    except OSError as error:
        raise ClusterFailure(f"cannot read {error.filename}: {error.strerror}; `tiphys up` makes it anew") from None
    return kubeconfig.build(settings.name, server_url(settings), ca, pair)


def add(directory: ClusterDirectory, settings: Settings) -> None:
    """Merge the entry and make it current. Raises ClusterFailure."""
    try:
        kubeconfig.merge(Path(settings.kubeconfig), admin(directory, settings))
    except kubeconfig.KubeconfigError as error:
        raise ClusterFailure(str(error)) from None


def remove(settings: Settings) -> None:
    """Take the entry out again. Raises ClusterFailure."""
    if not settings.kubeconfig:
        return
    try:
        kubeconfig.remove(Path(settings.kubeconfig), settings.name)
    except kubeconfig.KubeconfigError as error:
        raise ClusterFailure(str(error)) from None
