"""A kubeconfig for someone who is not the administrator: a certificate of the cluster's CA, a service account's
token, or both, as one makes it by hand with cfssl, `kubectl create token` and four times `kubectl config`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tiphys.base.clock import Clock
from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.cluster_access import from_document
from tiphys.client.https import HttpsTransport
from tiphys.cluster import kubeconfig_entry
from tiphys.cluster.directory import ClusterDirectory
from tiphys.cluster.failure import ClusterFailure
from tiphys.cluster.settings import Settings
from tiphys.pki import kubeconfig
from tiphys.pki.authority import Authority
from tiphys.pki.pair import Pair


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose kubeconfig. `account` is the (namespace, name) of the service account whose token goes in, if any."""

    user: str
    certificate: bool = True
    groups: Sequence[str] = ()
    namespace: str = ""
    account: tuple[str, str] | None = None
    token_seconds: int = 24 * 60 * 60


async def make(directory: ClusterDirectory, settings: Settings, wanted: Wanted, clock: Clock) -> Document:
    """Raises ClusterFailure when the CA's key is gone or, for a token, the cluster does not answer or refuses."""
    credentials: Document = {}
    if wanted.certificate:
        credentials |= kubeconfig.certificate_user(_certificate(directory, wanted, clock.now()))
    if wanted.account:
        credentials["token"] = await _token(directory, settings, wanted.account, wanted.token_seconds)
    return kubeconfig.build_for(
        settings.name,
        kubeconfig_entry.server_url(settings),
        (directory.pki / "ca.pem").read_bytes(),
        wanted.user,
        credentials,
        context=f"{wanted.user}@{kubeconfig.context_name(settings.name)}",
        namespace=wanted.namespace,
    )


def _certificate(directory: ClusterDirectory, wanted: Wanted, now: float) -> Pair:
    certificate, key = directory.pki / "ca.pem", directory.pki / "ca-key.pem"
    try:
        authority = Authority(Pair(certificate.read_bytes(), key.read_bytes()))
        return authority.issue_client(wanted.user, wanted.groups, now)
    except (OSError, ValueError) as error:
        raise ClusterFailure(f"cannot issue a certificate with {key}: {error}") from None


async def _token(directory: ClusterDirectory, settings: Settings, account: tuple[str, str], seconds: int) -> str:
    namespace, name = account
    access = from_document(kubeconfig_entry.admin(directory, settings), directory.pki)
    client = Client(HttpsTransport(access))
    request = {
        "kind": "TokenRequest",
        "apiVersion": "authentication.k8s.io/v1",
        "spec": {"expirationSeconds": seconds},
    }
    try:
        made = await client.create("v1", "serviceaccounts", request, namespace, name=name, subresource="token")
    except (OSError, StatusError) as error:
        remedy = f"; is it running? See: tiphys status --name {settings.name}" if isinstance(error, OSError) else ""
        raise ClusterFailure(f"no token for service account {namespace}/{name}: {error}{remedy}") from None
    finally:
        await client.close()
    return str(made["status"]["token"])
