"""Client certificates, as apiserver `authentication/request/x509` reads them."""

from __future__ import annotations

import datetime
from hashlib import sha256
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from tiphys.auth.client_certificate import ClientCertificate
from tiphys.base.http import Request
from tiphys.base.status import StatusError
from tiphys.base.user import AUTHENTICATED

NOW = 1_800_000_000.0
UID = ObjectIdentifier("1.3.6.1.4.1.57683.2")


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


def certificate(*names: tuple[ObjectIdentifier, str], usages: tuple[Any, ...] = ()) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    now = datetime.datetime.fromtimestamp(NOW, datetime.UTC)
    hour = datetime.timedelta(hours=1)
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, now - hour, now + hour)
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


ALICE = ((NameOID.ORGANIZATION_NAME, "dev"), (NameOID.ORGANIZATION_NAME, "ops"), (NameOID.COMMON_NAME, "alice"))


async def authenticate(der: bytes | None, clock: Clock | None = None) -> Any:
    return await ClientCertificate(clock or Clock()).authenticate(Request("GET", "/", certificate=der))


async def test_the_common_name_is_the_user_and_organizations_are_groups():
    der = certificate(*ALICE)
    user = await authenticate(der)
    assert (user.name, user.groups, user.uid) == ("alice", ("dev", "ops", AUTHENTICATED), "")
    fingerprint = sha256(der).hexdigest()
    assert user.extra == {"authentication.kubernetes.io/credential-id": (f"X509SHA256={fingerprint}",)}


async def test_a_uid_may_stand_in_the_subject():
    assert (await authenticate(certificate(*ALICE, (UID, "u-1")))).uid == "u-1"


async def test_no_certificate_or_no_name_is_nobody():
    assert await authenticate(None) is None
    assert await authenticate(certificate((NameOID.ORGANIZATION_NAME, "dev"))) is None


async def test_a_certificate_for_other_uses_is_refused():
    assert await authenticate(certificate(*ALICE, usages=(ExtendedKeyUsageOID.CLIENT_AUTH,)))
    with pytest.raises(StatusError) as refused:
        await authenticate(certificate(*ALICE, usages=(ExtendedKeyUsageOID.SERVER_AUTH,)))
    assert refused.value.code == 401


@pytest.mark.parametrize("moved", [-3601, 3601])
async def test_its_time_is_looked_at_on_every_request(moved):
    clock = Clock()
    authenticator = ClientCertificate(clock)
    request = Request("GET", "/", certificate=certificate(*ALICE))
    assert await authenticator.authenticate(request)
    clock.time += moved
    with pytest.raises(StatusError) as refused:
        await authenticator.authenticate(request)
    assert refused.value.code == 401


async def test_what_is_no_certificate_is_refused():
    with pytest.raises(StatusError) as refused:
        await authenticate(b"garbage")
    assert refused.value.code == 401
