"""What authentication adds to a request: `python bench/authentication.py`.

Microseconds of this process's own time, best of five rounds. The peer is PyJWT in this same run, where it is
installed, for reading and verifying one token anew.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import uvloop
from cryptography.hazmat.primitives.asymmetric import rsa

from tiphys.api.catalog import Catalog
from tiphys.api.service import Api
from tiphys.auth.bearer_token import BearerToken
from tiphys.auth.service_account_token import ServiceAccountToken
from tiphys.base.clock import SystemClock
from tiphys.base.discovery import discover
from tiphys.base.document import Document
from tiphys.base.http import Request
from tiphys.base.names import RandomIds
from tiphys.base.user import User
from tiphys.client.client import Client
from tiphys.client.in_process import InProcessTransport
from tiphys.pki import jwt
from tiphys.pki.service_account_key import ServiceAccountKeys, key_id
from tiphys.pki.service_account_token import ISSUER, TokenSigner
from tiphys.schema.definitions import Definitions
from tiphys.store.memory import MemoryStore

ROUNDS, TIMES = 5, 20_000
LIMIT = 10.0
"""Microseconds that a token seen before may cost."""


async def main() -> None:
    store = MemoryStore()
    await store.open()
    api = Api(
        store, Catalog(Definitions.load(37), discover("tiphys.kinds", "KIND")), None, SystemClock(), RandomIds()
    )
    key = rsa.generate_private_key(65537, 2048)
    signer = TokenSigner(ServiceAccountKeys(key, {key_id(key.public_key()): key.public_key()}))
    tokens = await _tokens(api, signer)
    bearer = BearerToken([ServiceAccountToken(signer.keys, api.reader, api.clock, 37)])
    for name, token in tokens.items():
        request = Request("GET", "/", headers={"authorization": f"Bearer {token}"})
        cost = await _measure(lambda request=request: bearer.authenticate(request))
        _row(f"{name}, seen before", cost, f"of {LIMIT:.0f} allowed" if cost <= LIMIT else "MORE THAN ALLOWED")
    await _verification(signer, api, tokens["account"])
    began = time.perf_counter()
    for _ in range(200):
        signer.bound({"metadata": {"name": "a", "namespace": "n", "uid": "u"}}, [ISSUER], 0, 3600)
    _row("making a token", (time.perf_counter() - began) / 200 * 1e6)


async def _tokens(api: Api, signer: TokenSigner) -> dict[str, str]:
    """A token of each sort, with what each rests on."""

    async def handle(request: Request):  # type: ignore[no-untyped-def]
        from tiphys.api.request_info import read_request_info

        return await api.handle(request, read_request_info(request.method, request.path, request.query))

    client = Client(InProcessTransport(handle, User("bench")))

    async def create(plural: str, name: str, **more: object) -> Document:
        return await client.create("v1", plural, {"metadata": {"name": name}, **more}, "erp")

    account, now = await create("serviceaccounts", "builder"), int(time.time())
    pod = await create("pods", "web", spec={"containers": [{"name": "c", "image": "i"}]})
    legacy = signer.legacy(account, "builder-token")
    await create("secrets", "builder-token", stringData={"token": legacy})
    bound = signer.bound(account, [ISSUER], now, 3600, to={"pod": pod}, token_id=RandomIds().uid())
    return {"account": signer.bound(account, [ISSUER], now, 3600), "pod": bound, "legacy": legacy}


async def _verification(signer: TokenSigner, api: Api, token: str) -> None:
    async def anew() -> None:
        authenticator = ServiceAccountToken(signer.keys, api.reader, api.clock, 37)
        await authenticator.authenticate_token(token, (ISSUER,))

    cost = await _measure(anew, 500)
    try:
        import jwt as pyjwt
    except ImportError:
        _row("new", cost)
        return

    async def peer() -> None:
        public = signer.keys.verifying[pyjwt.get_unverified_header(token)["kid"]]
        pyjwt.decode(token, public, algorithms=[jwt.ALGORITHM], audience=ISSUER, issuer=ISSUER)

    other = await _measure(peer, 500)
    _row("new", cost, f"PyJWT {other:.0f}, {other / cost:.1f} x")


async def _measure(work: Callable[[], Awaitable[object]], times: int = TIMES) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            await work()
        best = min(best, time.process_time() - began)
    return best / times * 1e6


def _row(name: str, cost: float, note: str = "") -> None:
    print(f"{name:24} {cost:8.1f} µs  {note}")


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
