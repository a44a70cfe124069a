"""Secrets that hold a service account's token (`pkg/controller/serviceaccount/tokens_controller.go`).

A Secret of type `kubernetes.io/service-account-token` is filled with the token, the namespace and the cluster's CA
certificate, and goes when its account goes. With the option `service-account-token-generation` every account is
given such a Secret and lists it, as before Kubernetes 1.24. The option `service-account-token-signer` holds the
TokenSigner, without which there is nothing to do; `root-ca` the certificate as PEM.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Iterable

from tiphys.base.document import Document, namespaced_name, split_key
from tiphys.base.names import generate_name
from tiphys.base.status import StatusError
from tiphys.client.informer import Informer
from tiphys.client.retry import is_conflict, is_not_found, retry_on_conflict
from tiphys.controllers.contract import Context, ControllerSpec
from tiphys.controllers.reconciler import Reconciler
from tiphys.pki.service_account_token import TokenSigner

SECRET_TYPE = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"
ACCOUNT_UID = "kubernetes.io/service-account.uid"
_BY_ACCOUNT = "account"
_OF_TOKENS = f"type={SECRET_TYPE}"


class ServiceAccountTokenController(Reconciler):
    """Keys are accounts, whether they are there or only named by a secret."""

    name = "serviceaccount-token"
    retries = 10

    def __init__(self, context: Context) -> None:
        self.accounts = context.informers.of("v1", "serviceaccounts")
        self.secrets = Informer(context.client, "v1", "secrets", field_selector=_OF_TOKENS, clock=context.clock)
        super().__init__(context, [self.accounts, self.secrets])
        self._certificate = _encode(context.option("root-ca", ""))
        self._generates = context.option("service-account-token-generation", False)
        self._signer = _signer(context)
        self._gone: dict[str, set[str]] = {}
        if self._signer is None:
            return
        self.secrets.add_index(_BY_ACCOUNT, lambda secret: [_account_key(secret)])
        self.accounts.add_handlers(self.enqueue, lambda _old, new: self.enqueue(new), self.enqueue)
        self.secrets.add_handlers(
            self._secret_changed, lambda _old, new: self._secret_changed(new), self._secret_deleted
        )

    async def run(self) -> None:
        if self._signer is None:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self.secrets.run(), name="informer of token secrets")
            await super().run()

    def _secret_changed(self, secret: Document) -> None:
        self.queue.add(_account_key(secret))

    def _secret_deleted(self, secret: Document) -> None:
        """Its account lists it no longer. Other secrets an account lists are its owner's affair."""
        key = _account_key(secret)
        self._gone.setdefault(key, set()).add(secret["metadata"]["name"])
        self.queue.add(key)

    async def reconcile(self, key: str) -> None:
        secrets = [secret for _, secret in sorted(self.secrets.indexed(_BY_ACCOUNT, key).items())]
        account = await self._account(key, secrets)
        for secret in secrets:
            if account is None or not _belongs(secret, account):
                await self._delete(secret)
            else:
                await self._fill(secret, account)
        gone = set(self._gone.get(key, ()))
        if account is not None and gone:
            await self._unlist(account, gone)
        self._forget_gone(key, gone)
        if account is not None and self._generates:
            await self._ensure_token(account)

    async def _account(self, key: str, secrets: list[Document]) -> Document | None:
        """The account; asked of the API itself where a secret would be deleted if our copy of it were right."""
        namespace, name = split_key(key)
        found = self.accounts.get(namespace, name)
        if found is not None and all(_belongs(secret, found) for secret in secrets):
            return found
        return await self._live(namespace, name) if secrets else found

    async def _live(self, namespace: str, name: str) -> Document | None:
        try:
            return await self.client.get("v1", "serviceaccounts", name, namespace)
        except StatusError as error:
            if is_not_found(error):
                return None
            raise

    async def _delete(self, secret: Document) -> None:
        meta = secret["metadata"]
        try:
            await self.client.delete("v1", "secrets", meta["name"], meta["namespace"], uid=meta["uid"])
        except StatusError as error:
            if not (is_not_found(error) or is_conflict(error)):
                raise

    async def _fill(self, secret: Document, account: Document) -> None:
        """Put in what is missing. Of a secret changed meanwhile the change brings us here again."""
        data = dict(secret.get("data") or {})
        filled = data | self._contents(secret["metadata"]["name"], account, data)
        if filled == data:
            return
        meta = {**secret["metadata"], "annotations": _annotations(secret, account)}
        try:
            await self.client.update("v1", "secrets", {**secret, "metadata": meta, "data": filled}, meta["namespace"])
        except StatusError as error:
            if not (is_not_found(error) or is_conflict(error)):
                raise

    def _contents(self, secret: str, account: Document, data: Document) -> dict[str, str]:
        """What the secret of this name must hold beside what it rightly holds already."""
        assert self._signer is not None
        found = {}
        if self._certificate:
            found["ca.crt"] = self._certificate
        if not data.get("namespace"):
            found["namespace"] = _encode(account["metadata"]["namespace"])
        if not data.get("token"):
            found["token"] = _encode(self._signer.legacy(account, secret))
        return found

    async def _unlist(self, account: Document, gone: set[str]) -> None:
        namespace, name = account["metadata"]["namespace"], account["metadata"]["name"]

        async def write() -> None:
            live = await self._live(namespace, name)
            if live is None or live["metadata"]["uid"] != account["metadata"]["uid"]:
                return
            kept = [each for each in live.get("secrets") or () if each.get("name") not in gone]
            if len(kept) != len(live.get("secrets") or ()):
                await self.client.update("v1", "serviceaccounts", {**live, "secrets": kept}, namespace)

        await retry_on_conflict(write, self.clock)

    def _forget_gone(self, key: str, gone: set[str]) -> None:
        left = self._gone.get(key, set()) - gone
        if left:
            self._gone[key] = left
        else:
            self._gone.pop(key, None)

    async def _ensure_token(self, account: Document) -> None:
        """See to it that the account lists a secret with a token; what counts is asked of the API itself."""
        if _lists_one_of(account, self.secrets.indexed(_BY_ACCOUNT, namespaced_name(account)).values()):
            return
        meta = account["metadata"]
        live = await self._live(meta["namespace"], meta["name"])
        if live is None or await self._has_token(live):
            return
        secret = await self._make_secret(live)
        if not await self._list(live, secret):
            await self._delete(secret)

    async def _has_token(self, account: Document) -> bool:
        found = await self.client.list("v1", "secrets", account["metadata"]["namespace"], field_selector=_OF_TOKENS)
        return _lists_one_of(account, [secret for secret in found["items"] if _is_of(secret, account)])

    async def _make_secret(self, account: Document) -> Document:
        meta = account["metadata"]
        name = generate_name(f"{meta['name']}-token-", self.context.ids)
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": name,
                "namespace": meta["namespace"],
                "annotations": {ACCOUNT_NAME: meta["name"], ACCOUNT_UID: meta["uid"]},
            },
            "type": SECRET_TYPE,
            "data": self._contents(name, account, {}),
        }
        return await self.client.create("v1", "secrets", secret, meta["namespace"])

    async def _list(self, account: Document, secret: Document) -> bool:
        """Add the secret to those of the account; false if that is no longer wanted."""
        namespace, name = account["metadata"]["namespace"], account["metadata"]["name"]

        async def write() -> bool:
            live = await self._live(namespace, name)
            if live is None or live["metadata"]["uid"] != account["metadata"]["uid"] or await self._has_token(live):
                return False
            listed = [*(live.get("secrets") or ()), {"name": secret["metadata"]["name"]}]
            await self.client.update("v1", "serviceaccounts", {**live, "secrets": listed}, namespace)
            return True

        try:
            return await retry_on_conflict(write, self.clock)
        except StatusError as error:
            if is_conflict(error):
                return False
            raise


def _signer(context: Context) -> TokenSigner | None:
    """Raises TypeError if the option holds something else."""
    found = context.options.get("service-account-token-signer")
    if found is not None and not isinstance(found, TokenSigner):
        raise TypeError(f"option service-account-token-signer is {found!r}, no TokenSigner")
    return found


def _account_key(secret: Document) -> str:
    annotations = secret["metadata"].get("annotations") or {}
    return f"{secret['metadata']['namespace']}/{annotations.get(ACCOUNT_NAME, '')}"


def _belongs(secret: Document, account: Document) -> bool:
    """Whether the secret, which names the account, means this one of that name."""
    uid = (secret["metadata"].get("annotations") or {}).get(ACCOUNT_UID)
    return not uid or uid == account["metadata"]["uid"]


def _is_of(secret: Document, account: Document) -> bool:
    return _account_key(secret) == namespaced_name(account) and _belongs(secret, account)


def _lists_one_of(account: Document, secrets: Iterable[Document]) -> bool:
    listed = {each.get("name") for each in account.get("secrets") or ()}
    return any(secret["metadata"]["name"] in listed for secret in secrets)


def _annotations(secret: Document, account: Document) -> Document:
    given = secret["metadata"].get("annotations") or {}
    return {**given, ACCOUNT_NAME: account["metadata"]["name"], ACCOUNT_UID: account["metadata"]["uid"]}


def _encode(text: str) -> str:
    return b64encode(text.encode()).decode()


CONTROLLER = ControllerSpec("serviceaccount-token", ServiceAccountTokenController)
