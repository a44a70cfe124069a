"""Who controls what: owner references, adoption and release (`pkg/controller/controller_ref_manager.go`)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tiphys.base.document import Document, owner_reference
from tiphys.base.label_selector import Selector
from tiphys.base.status import StatusError
from tiphys.client.client import Client
from tiphys.client.indexer import IndexFunction
from tiphys.client.informer import Informer
from tiphys.client.retry import is_not_found

BY_CONTROLLER = "controller"
"""Name of the index of objects by the uid of their controller; see `controller_key` for those without."""


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A resource as references and requests name it."""

    api_version: str
    kind: str
    plural: str

    @property
    def group(self) -> str:
        return self.api_version.rpartition("/")[0]


def index_by_controller(informer: Informer) -> None:
    """Let `informer.indexed(BY_CONTROLLER, …)` answer by controller uid or by `orphan_key(namespace)`."""
    informer.add_index(BY_CONTROLLER, controller_keys)


def orphan_key(namespace: str) -> str:
    return f"orphans/{namespace}"


def _controller_keys(document: Document) -> tuple[str]:
    reference = owner_reference(document)
    if reference is None:
        return (orphan_key(document["metadata"].get("namespace") or ""),)
    return (str(reference.get("uid") or ""),)


controller_keys: IndexFunction = _controller_keys


def controller_reference(owner: Document, kind: ResourceKind) -> Document:
    """The reference a controlled object carries (metav1.NewControllerRef)."""
    return {
        "apiVersion": kind.api_version,
        "kind": kind.kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def resolve(reference: Document | None, namespace: str, kind: ResourceKind, informer: Informer) -> Document | None:
    """The controller a reference means, if it is of this kind and still the same object."""
    if reference is None or reference.get("kind") != kind.kind:
        return None
    owner = informer.get(namespace, reference.get("name") or "")
    return owner if owner is not None and owner["metadata"]["uid"] == reference.get("uid") else None


class Claimer:
    """Adopts and releases objects of one kind for one owner: `claim` gives those it then controls."""

    def __init__(
        self,
        client: Client,
        owner: Document,
        owner_kind: ResourceKind,
        claimed: ResourceKind,
        selector: Selector,
        *,
        finalizer: str = "",
    ) -> None:
        """`finalizer` is put on what is adopted."""
        self._client = client
        self._finalizer = finalizer
        self._owner = owner
        self._owner_kind = owner_kind
        self._claimed = claimed
        self._selector = selector
        self._checked: StatusError | bool = False

    async def claim(self, candidates: Iterable[Document]) -> list[Document]:
        """Adopt matching orphans, release what no longer matches. Raises StatusError when one of them failed,
        after trying all."""
        owned, errors = [], []
        for document in candidates:
            try:
                if await self._claim_one(document):
                    owned.append(document)
            except StatusError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return owned

    async def _claim_one(self, document: Document) -> bool:
        meta = document["metadata"]
        reference = owner_reference(document)
        deleting = bool(self._owner["metadata"].get("deletionTimestamp"))
        matches = self._selector.matches(meta.get("labels"))
        if reference is not None:
            if reference.get("uid") != self._owner["metadata"]["uid"]:
                return False
            if matches:
                return True
            if not deleting:
                await self._ignoring_gone(self._release, document)
            return False
        if deleting or not matches or meta.get("deletionTimestamp"):
            return False
        return await self._ignoring_gone(self._adopt, document)

    async def _ignoring_gone(self, act: Callable[[Document], Awaitable[None]], document: Document) -> bool:
        try:
            await act(document)
        except StatusError as error:
            if is_not_found(error):
                return False
            raise
        return True

    async def _adopt(self, document: Document) -> None:
        try:
            await self._recheck_owner()
        except StatusError as error:
            meta = document["metadata"]
            what = f"{self._claimed.kind} {meta.get('namespace')}/{meta['name']} ({meta['uid']})"
            raise StatusError(error.code, "", f"can't adopt {what}: {error.message}") from error
        reference = controller_reference(self._owner, self._owner_kind)
        finalizers = {"finalizers": [self._finalizer]} if self._finalizer else {}
        await self._patch(document, {"ownerReferences": [reference], **finalizers})

    async def _release(self, document: Document) -> None:
        """A Status Invalid means the reference is gone already, or the object is another by now."""
        gone = {"$patch": "delete", "uid": self._owner["metadata"]["uid"]}
        try:
            await self._patch(document, {"ownerReferences": [gone]})
        except StatusError as error:
            if error.reason != "Invalid":
                raise

    async def _patch(self, document: Document, metadata: Document) -> None:
        """The uid in the patch makes it fail if the object was replaced."""
        meta = document["metadata"]
        await self._client.patch(
            self._claimed.api_version,
            self._claimed.plural,
            meta["name"],
            {"metadata": {**metadata, "uid": meta["uid"]}},
            meta.get("namespace", ""),
            kind="strategic",
        )

    async def _recheck_owner(self) -> None:
        """Before the first adoption, ask the API whether the owner is still there and not being deleted."""
        if self._checked is True:
            return
        if isinstance(self._checked, StatusError):
            raise self._checked
        try:
            await self._ask()
            self._checked = True
        except StatusError as error:
            self._checked = error
            raise

    async def _ask(self) -> None:
        meta = self._owner["metadata"]
        kind = self._owner_kind
        fresh = await self._client.get(kind.api_version, kind.plural, meta["name"], meta["namespace"])
        name = f"{meta['namespace']}/{meta['name']}"
        if fresh["metadata"]["uid"] != meta["uid"]:
            got = f"got uid {fresh['metadata']['uid']}, wanted {meta['uid']}"
            raise StatusError(409, "Conflict", f"original {kind.kind} {name} is gone: {got}")
        if deleted := fresh["metadata"].get("deletionTimestamp"):
            raise StatusError(409, "Conflict", f"{name} has just been deleted at {deleted}")
