"""kubeconfig files: found, merged into and removed from by kubectl's own rules (client-go `tools/clientcmd`)."""

from __future__ import annotations

import base64
import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tiphys.base.document import Document
from tiphys.pki.files import write_key
from tiphys.pki.pair import Pair

_SECTIONS = ("clusters", "users", "contexts")


class KubeconfigError(Exception):
    """A kubeconfig file that cannot be read or written; the message names the file and the remedy."""


def context_name(cluster: str) -> str:
    """The name of cluster, user and context alike."""
    return f"tiphys-{cluster}"


def default_file(environment: Mapping[str, str]) -> Path:
    """The file kubectl would write new entries to: the first of $KUBECONFIG that exists, else its last,
    else ~/.kube/config."""
    listed = [Path(part) for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    if not listed:
        return Path(environment.get("HOME") or "~").expanduser() / ".kube" / "config"
    return next((path for path in listed if path.exists()), listed[-1])


def build(cluster: str, server: str, ca: bytes, admin: Pair) -> Document:
    """The administrator's kubeconfig: one cluster, user and context of one name, certificates embedded."""
    name = context_name(cluster)
    return build_for(cluster, server, ca, name, certificate_user(admin), context=name)


def build_for(
    cluster: str, server: str, ca: bytes, user: str, credentials: Document, *, context: str, namespace: str = ""
) -> Document:
    """A kubeconfig of one user, whose `credentials` are as kubeconfig has them; `namespace` is the context's."""
    name = context_name(cluster)
    where = {"cluster": name, **({"namespace": namespace} if namespace else {}), "user": user}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": _encode(ca)}}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": context, "context": where}],
        "current-context": context,
        "preferences": {},
    }


def certificate_user(pair: Pair) -> Document:
    """The credentials of a user with a client certificate."""
    return {"client-certificate-data": _encode(pair.certificate), "client-key-data": _encode(pair.key)}


def dump(config: Document) -> str:
    from tiphys.base import yaml_text  # here and below: those who only ask for names need not wait for it

    return yaml_text.dump(config)


def merge(path: Path, config: Document) -> None:
    """Put the entries of `config` into the file, replacing those of the same name, and make its context current.

    Everything else in the file stays. Raises KubeconfigError.
    """
    with _locked(path):
        existing = _load(path)
        for section in _SECTIONS:
            fresh = config[section]
            names = {entry["name"] for entry in fresh}
            existing[section] = [e for e in existing.get(section) or () if e.get("name") not in names] + fresh
        existing["current-context"] = config["current-context"]
        _save(path, existing)


def remove(path: Path, cluster: str) -> bool:
    """Take the cluster's entries out of the file; true if there were any. Raises KubeconfigError."""
    if not path.exists():
        return False
    name = context_name(cluster)
    with _locked(path):
        existing = _load(path)
        before = {section: len(existing.get(section) or ()) for section in _SECTIONS}
        for section in _SECTIONS:
            existing[section] = [e for e in existing.get(section) or () if e.get("name") != name]
        if all(before[section] == len(existing[section]) for section in _SECTIONS):
            return False
        if existing.get("current-context") == name:
            existing["current-context"] = ""
        _save(path, existing)
        return True


def _load(path: Path) -> Document:
    from tiphys.base import yaml_text

    try:
        loaded = yaml_text.load(path.read_text()) if path.exists() else None
    except (OSError, UnicodeDecodeError, yaml_text.YAMLError) as error:
        raise KubeconfigError(
            f"cannot read {path}: {error}; mend or move it, or name another with --kubeconfig"
        ) from None
    if loaded is None:
        return {"apiVersion": "v1", "kind": "Config", "preferences": {}}
    if not isinstance(loaded, dict) or any(not _is_section(loaded.get(section)) for section in _SECTIONS):
        raise KubeconfigError(f"{path} is not a kubeconfig; mend or move it, or name another with --kubeconfig")
    return loaded


def _is_section(value: object) -> bool:
    return value is None or (isinstance(value, list) and all(isinstance(entry, dict) for entry in value))


def _save(path: Path, config: Document) -> None:
    try:
        write_key(path.resolve(), dump(config).encode())
    except OSError as error:
        raise KubeconfigError(f"cannot write {path}: {error.strerror}; name another file with --kubeconfig") from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Keep two of us from losing each other's entries: the directory of the file is the lock."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        reason = f"cannot use {path.parent}: {error.strerror}; name another file with --kubeconfig"
        raise KubeconfigError(reason) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()
