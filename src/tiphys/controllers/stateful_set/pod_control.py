"""Makes, mends and deletes the pods of a set, their claims before them (`statefulset/stateful_pod_control.go`)."""

from __future__ import annotations

from collections.abc import Iterator

from tiphys.base.document import Document
from tiphys.base.status import StatusError
from tiphys.client.events import NORMAL, WARNING
from tiphys.client.informer import Informer
from tiphys.client.retry import is_already_exists, retry_on_conflict
from tiphys.controllers.contract import Context
from tiphys.controllers.stateful_set import claim_retention
from tiphys.controllers.stateful_set.identity import (
    claim_name,
    claim_templates,
    claims_of,
    identity_matches,
    ordinal_of,
    storage_matches,
    with_identity,
    with_storage,
)

CLAIMS = ("v1", "persistentvolumeclaims")
PODS = ("v1", "pods")
_CONFLICTING = (
    "PersistentVolumeClaim {} has a conflicting OwnerReference that acts as a manging controller, the retention "
    "policy is ignored for this claim"
)


class StatefulPodControl:
    """Every method raises the API's StatusError, after telling it in an event of the set."""

    def __init__(self, context: Context, pods: Informer, claims: Informer) -> None:
        self._client = context.client
        self._clock = context.clock
        self._minor = context.minor
        self._recorder = context.recorder("statefulset-controller")
        self._pods = pods
        self._claims = claims

    async def create(self, stateful_set: Document, pod: Document) -> None:
        """The claims first. A pod that is there already is an error nobody needs to hear of."""
        namespace = stateful_set["metadata"]["namespace"]
        try:
            await self._create_claims(stateful_set, pod)
            await self._client.create(*PODS, pod, namespace)
        except StatusError as error:
            if not is_already_exists(error):
                self._tell("create", stateful_set, pod, error)
            raise
        await self._retain(stateful_set, pod)
        self._tell("create", stateful_set, pod)

    async def create_missing_claims(self, stateful_set: Document, pod: Document) -> None:
        await self._create_claims(stateful_set, pod)
        await self._retain(stateful_set, pod)

    async def delete(self, stateful_set: Document, pod: Document) -> None:
        meta = pod["metadata"]
        try:
            await self._client.delete(*PODS, meta["name"], meta["namespace"])
        except StatusError as error:
            self._tell("delete", stateful_set, pod, error)
            raise
        self._tell("delete", stateful_set, pod)

    async def update(self, stateful_set: Document, pod: Document) -> None:
        """Give the pod its labels, volumes and claims, if it lacks them."""
        whole = identity_matches(stateful_set, pod) and storage_matches(stateful_set, pod)
        if not self.claims_match(stateful_set, pod):
            await self._retain(stateful_set, pod)
        elif whole:
            return
        try:
            if not storage_matches(stateful_set, pod):
                await self._create_claims(stateful_set, pod)
            if not whole:
                await retry_on_conflict(lambda: self._write(stateful_set, pod), self._clock)
        except StatusError as error:
            self._tell("update", stateful_set, pod, error)
            raise
        self._tell("update", stateful_set, pod)

    async def _write(self, stateful_set: Document, pod: Document) -> None:
        meta = pod["metadata"]
        mended = self._pods.get(meta["namespace"], meta["name"]) or pod
        if not identity_matches(stateful_set, mended):
            mended = with_identity(stateful_set, mended, self._minor)
        if not storage_matches(stateful_set, mended):
            mended = with_storage(stateful_set, mended)
        await self._client.update(*PODS, mended, meta["namespace"])

    # Claims

    def claims_match(self, stateful_set: Document, pod: Document) -> bool:
        """Whether the claims there are belong to whom the retention policy says (ClaimsMatchRetentionPolicy)."""
        if self._minor < claim_retention.SINCE:
            return True
        found = self._claims_of(stateful_set, pod)
        return all(claim_retention.is_up_to_date(claim, stateful_set, pod, self._minor) for claim in found)

    async def retain(self, stateful_set: Document, pod: Document) -> None:
        """Bring that about."""
        await self._retain(stateful_set, pod, told=False)

    def has_stale_claim(self, stateful_set: Document, pod: Document) -> bool:
        """Whether a claim is still about to go with the pod's predecessor (PodClaimIsStale)."""
        if self._minor < claim_retention.SINCE or not claim_retention.deletes_when(stateful_set, "whenScaled"):
            return False
        found = self._claims_of(stateful_set, pod)
        return any(claim_retention.has_stale_owner(claim, pod, claim_retention.POD) for claim in found)

    def _claims_of(self, stateful_set: Document, pod: Document) -> Iterator[Document]:
        namespace = stateful_set["metadata"]["namespace"]
        for template in claim_templates(stateful_set):
            claim = self._claims.get(namespace, claim_name(template, stateful_set, ordinal_of(pod)))
            if claim is not None:
                yield claim

    async def _retain(self, stateful_set: Document, pod: Document, told: bool = True) -> None:
        if self._minor < claim_retention.SINCE:
            return
        try:
            for claim in list(self._claims_of(stateful_set, pod)):
                await self._retain_claim(claim, stateful_set, pod)
        except StatusError as error:
            if told:
                self._tell("update", stateful_set, pod, error)
            raise

    async def _retain_claim(self, claim: Document, stateful_set: Document, pod: Document) -> None:
        meta = claim["metadata"]
        if claim_retention.has_unexpected_controller(claim, stateful_set, pod):
            message = _CONFLICTING.format(meta["name"])
            self._recorder.event(stateful_set, WARNING, "ConflictingController", message)
        if claim_retention.is_up_to_date(claim, stateful_set, pod, self._minor):
            return
        changed = claim_retention.with_owners(claim, stateful_set, pod, self._minor)
        try:
            await self._client.update(*CLAIMS, changed, meta["namespace"])
        except StatusError as error:
            message = f"could not update claim {meta['name']} for delete policy ownerRefs: {error.message}"
            raise StatusError(error.code, error.reason, message, error.details) from error

    async def _create_claims(self, stateful_set: Document, pod: Document) -> None:
        """All that are missing; then raises the first error, with the words of all of them."""
        errors = []
        for claim in claims_of(stateful_set, pod):
            try:
                await self._create_claim(claim, stateful_set, pod)
            except StatusError as error:
                errors.append(error)
        if errors:
            texts = list(dict.fromkeys(error.message for error in errors))
            message = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
            raise StatusError(errors[0].code, "", message, errors[0].details)

    async def _create_claim(self, claim: Document, stateful_set: Document, pod: Document) -> None:
        name, namespace = claim["metadata"]["name"], stateful_set["metadata"]["namespace"]
        known = self._claims.get(namespace, name)
        if known is not None:
            if known["metadata"].get("deletionTimestamp"):
                raise StatusError(409, "", f"pvc {name} is being deleted")
            return
        told = f"Claim {name} {{}}Pod {pod['metadata']['name']} in StatefulSet {stateful_set['metadata']['name']}"
        try:
            await self._client.create(*CLAIMS, claim, namespace)
        except StatusError as error:
            if not is_already_exists(error):
                message = f"create {told.format('for ')} failed error: {error.message}"
                self._recorder.event(stateful_set, WARNING, "FailedCreate", message)
            message = f"failed to create PVC {name}: {error.message}"
            raise StatusError(error.code, error.reason, message, error.details) from error
        self._recorder.event(stateful_set, NORMAL, "SuccessfulCreate", f"create {told.format('')} success")

    def _tell(self, verb: str, stateful_set: Document, pod: Document, error: StatusError | None = None) -> None:
        what = f"{verb} Pod {pod['metadata']['name']} in StatefulSet {stateful_set['metadata']['name']}"
        if error is None:
            self._recorder.event(stateful_set, NORMAL, f"Successful{verb.title()}", f"{what} successful")
        else:
            message = f"{what} failed error: {error.message}"
            self._recorder.event(stateful_set, WARNING, f"Failed{verb.title()}", message)
