"""ServiceAccount: every pod runs as a service account and finds that account's token mounted
(kubernetes `plugin/pkg/admission/serviceaccount`)."""

from __future__ import annotations

from tiphys.admission.mountable_secrets import mirror_pod_complaint, reference_complaint
from tiphys.admission.plugin import CREATE, Base, is_for, items, part, refuse
from tiphys.api.admission import Attributes
from tiphys.base.document import Document
from tiphys.base.names import Ids, generate_name

DEFAULT = "default"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607
"""An hour and seven seconds: the mark by which upstream knows tokens it asked for itself."""

_VOLUME = "kube-api-access-"
_MIRROR = "kubernetes.io/config.mirror"
_ENFORCE = "kubernetes.io/enforce-mountable-secrets"
_TRUE = {"1", "t", "T", "TRUE", "true", "True"}
_ATTEMPTS = 20
_PAUSE = 0.05


class ServiceAccount(Base):
    NAME = "ServiceAccount"

    async def admit(self, attributes: Attributes) -> None:
        pod = attributes.object
        if pod is None or not is_for(attributes, CREATE, "pods") or _is_mirror(pod):
            return
        spec = part(pod, "spec")
        name = spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = await self._account(attributes, name)
        if _automounts(spec, account):
            _mount_token(spec, self.environment.ids)
        secrets = account.get("imagePullSecrets")
        if secrets and not spec.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [{"name": each.get("name", "")} for each in secrets]

    async def validate(self, attributes: Attributes) -> None:
        pod = attributes.object
        if pod is None or not is_for(attributes, CREATE, "pods"):
            return
        spec = pod.get("spec") or {}
        if _is_mirror(pod):
            complaint = mirror_pod_complaint(spec)
        else:
            account = await self._account(attributes, spec.get("serviceAccountName") or "")
            complaint = reference_complaint(spec, account) if _enforces(account) else ""
        if complaint:
            raise refuse(attributes, complaint)

    async def _account(self, attributes: Attributes, name: str) -> Document:
        """The account. The default one is waited for a second, for it is made right after its namespace."""
        namespace = attributes.namespace
        for _ in range(_ATTEMPTS if name == DEFAULT else 1):
            found = await self.reader.get("", "serviceaccounts", namespace, name)
            if found is not None:
                return found
            if name == DEFAULT:
                await self.environment.clock.sleep(_PAUSE)
        raise refuse(
            attributes,
            f'error looking up service account {namespace}/{name}: serviceaccount "{name}" not found',
        )


def _is_mirror(pod: Document) -> bool:
    return _MIRROR in ((pod.get("metadata") or {}).get("annotations") or {})


def _enforces(account: Document) -> bool:
    return ((account.get("metadata") or {}).get("annotations") or {}).get(_ENFORCE) in _TRUE


def _automounts(spec: Document, account: Document) -> bool:
    """The pod's word counts before the account's; without either it is yes."""
    for holder in (spec, account):
        wanted = holder.get("automountServiceAccountToken")
        if wanted is not None:
            return bool(wanted)
    return True


def _mount_token(spec: Document, ids: Ids) -> None:
    """Mount the token in every container that has nothing mounted at its path."""
    volumes = spec.get("volumes") or ()
    present = next((str(each["name"]) for each in volumes if str(each.get("name", "")).startswith(_VOLUME)), "")
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    bare = [each for each in containers if not _mounts_at_path(each)]
    name = present or generate_name(_VOLUME, ids) if bare else ""
    for container in bare:
        items(container, "volumeMounts").append({"name": name, "readOnly": True, "mountPath": MOUNT_PATH})
    if bare and not present:
        items(spec, "volumes").append({"name": name, "projected": _token_source()})


def _mounts_at_path(container: Document) -> bool:
    return any(mount.get("mountPath") == MOUNT_PATH for mount in container.get("volumeMounts") or ())


def _token_source() -> Document:
    """TokenVolumeSource: the token, the cluster's CA certificates, the pod's namespace."""
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [namespace]}},
        ],
        "defaultMode": 420,
    }


PLUGIN = ServiceAccount
