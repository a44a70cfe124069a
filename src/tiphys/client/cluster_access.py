"""How to reach a cluster and as whom, read from a kubeconfig as client-go reads it."""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tiphys.base.document import Document


class AccessError(Exception):
    """A kubeconfig that leads nowhere; the message names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class ClusterAccess:
    """`tls` is None for plain HTTP; `token` is sent as a bearer token."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    server_name: str = ""
    token: str = ""
    prefix: str = ""
    """The path of the server's URL, without a closing slash."""


def from_kubeconfig(file: Path, context: str = "") -> ClusterAccess:
    """The access of a context, by default the current one. Raises AccessError.

    Client certificates, tokens and token files are known; exec plugins and passwords are not.
    """
    try:
        config = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise AccessError(f"{file}: {error}") from None
    if not isinstance(config, dict):
        raise AccessError(f"{file} is no kubeconfig")
    try:
        return from_document(config, file.parent, context)
    except AccessError as error:
        raise AccessError(f"{file}: {error}") from None


def from_document(config: Document, folder: Path, context: str = "") -> ClusterAccess:
    """The access of a decoded kubeconfig, whose relative paths start at `folder`. Raises AccessError."""
    try:
        chosen = _named(config, "contexts", context or config.get("current-context") or "")
        cluster = _named(config, "clusters", chosen.get("cluster") or "")
        user = _named(config, "users", chosen["user"]) if chosen.get("user") else {}
        return _access(folder, cluster, user)
    except (OSError, ssl.SSLError, ValueError, binascii.Error) as error:
        raise AccessError(str(error)) from None


def _named(config: Document, section: str, name: str) -> Document:
    kind = section.removesuffix("s")
    for each in config.get(section) or ():
        if isinstance(each, dict) and each.get("name") == name and isinstance(each.get(kind), dict):
            found: Document = each[kind]
            return found
    raise ValueError(f'there is no {kind} "{name}"')


def _access(folder: Path, cluster: Document, user: Document) -> ClusterAccess:
    url = urlsplit(str(cluster.get("server") or ""))
    if url.scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{cluster.get('server')!r} is no server URL")
    for unsupported in ("exec", "auth-provider", "username", "as"):
        if user.get(unsupported):
            raise ValueError(f"users with {unsupported} are not supported")
    secure = url.scheme == "https"
    return ClusterAccess(
        host=url.hostname,
        port=url.port or (443 if secure else 80),
        tls=_tls(folder, cluster, user) if secure else None,
        server_name=str(cluster.get("tls-server-name") or url.hostname),
        token=_token(folder, user),
        prefix=url.path.rstrip("/"),
    )


def _token(folder: Path, user: Document) -> str:
    if user.get("token"):
        return str(user["token"])
    return (folder / user["tokenFile"]).read_text().strip() if user.get("tokenFile") else ""


def _tls(folder: Path, cluster: Document, user: Document) -> ssl.SSLContext:
    ca = _content(folder, cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=ca.decode() if ca else None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _content(folder, user, "client-certificate"), _content(folder, user, "client-key")
    if certificate and key:
        _load_pair(context, certificate, key)
    return context


def _content(folder: Path, entry: dict[str, Any], field: str) -> bytes:
    """What `field-data` holds or the file that `field` names."""
    if data := entry.get(f"{field}-data"):
        return base64.b64decode(data, validate=True)
    return (folder / entry[field]).read_bytes() if entry.get(field) else b""


def _load_pair(context: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """Python takes a key from a file only; this one is its owner's alone and is gone at once."""
    with tempfile.NamedTemporaryFile(prefix="tiphys-", suffix=".pem") as file:
        file.write(key.rstrip() + b"\n" + certificate)
        file.flush()
        context.load_cert_chain(file.name)
