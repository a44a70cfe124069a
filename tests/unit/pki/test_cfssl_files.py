"""Requests, profiles and what is made of them, by cfssl's rules (cfssl `csr`, `config`, `signer/local`, `initca`).

Messages were recorded from Debian's cfssl 1.2; tests/clients/test_pki.py runs both side by side.
"""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tiphys.pki import bare_files, initca
from tiphys.pki.authority import Authority
from tiphys.pki.certificate_info import describe
from tiphys.pki.certificate_request import CertificateRequest, process
from tiphys.pki.go_duration import parse_duration
from tiphys.pki.key_request import key_pem, load_key
from tiphys.pki.pair import Pair
from tiphys.pki.pki_error import PkiError
from tiphys.pki.profile import SigningConfig, load_config
from tiphys.pki.signer import Signer, load_certificate, load_request
from tiphys.pki.signing_files import CONFIG

NOW = 1_800_000_030.0
CHINA = {
    "CN": "China",
    "hosts": [],
    "key": {"algo": "rsa", "size": 2048},
    "names": [{"C": "CN", "ST": "BeiJing", "L": "BeiJing", "O": "k8s", "OU": "System"}],
}


def request(**fields: Any) -> CertificateRequest:
    return CertificateRequest.read(json.dumps({"CN": "x", **fields}).encode())


def config(**profile: Any) -> SigningConfig:
    return load_config(json.dumps({"signing": {"default": {"expiry": "1h", "usages": ["any"], **profile}}}).encode())


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.create("ca", NOW)


def issue(authority: Authority, asked: CertificateRequest, how: SigningConfig, **more: Any) -> x509.Certificate:
    _, csr = process(asked)
    return load_certificate(Signer.of(authority.pair, how).sign(csr, NOW, **more))


def test_the_walkthroughs_request(authority: Authority) -> None:
    """Subject, usages and 50 years from five minutes before the minute, as the walkthrough's certificate has."""
    key, csr = process(CertificateRequest.read(json.dumps(CHINA).encode()))
    assert isinstance(key, rsa.RSAPrivateKey) and key.key_size == 2048
    made = Signer.of(authority.pair, load_config(json.dumps(CONFIG).encode())).sign(csr, NOW, profile="kubernetes")
    certificate = load_certificate(made)
    assert certificate.subject.rfc4514_string() == "CN=China,OU=System,O=k8s,L=BeiJing,ST=BeiJing,C=CN"
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.digital_signature and usage.value.key_encipherment
    assert not usage.value.key_cert_sign
    extended = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(extended) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    assert certificate.not_valid_before_utc.timestamp() == 1_800_000_000 - 300
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(hours=438000)
    certificate.verify_directly_issued_by(load_certificate(authority.pair.certificate))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"key": {"algo": "rsa", "size": 1024}}, '{"code":2400,"message":"RSA key is too weak"}'),
        ({"key": {"algo": "rsa", "size": 16384}}, '{"code":2400,"message":"RSA key size too large"}'),
        ({"key": {"algo": "ecdsa", "size": 255}}, '{"code":2400,"message":"invalid curve"}'),
        ({"key": {"algo": "dsa", "size": 1}}, '{"code":2400,"message":"invalid algorithm"}'),
    ],
)
def test_keys_that_cannot_be(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PkiError) as refused:
        process(request(**fields))
    assert str(refused.value) == message


@pytest.mark.parametrize(("size", "curve"), [(256, "secp256r1"), (384, "secp384r1"), (521, "secp521r1")])
def test_curves(size: int, curve: str) -> None:
    key, _ = process(request(key={"algo": "ecdsa", "size": size}))
    assert isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == curve
    assert key_pem(key).startswith(b"-----BEGIN EC PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"CN":1}', "json: cannot unmarshal number into Go struct field CertificateRequest.CN of type string"),
        (
            b'{"hosts":"a"}',
            "json: cannot unmarshal string into Go struct field CertificateRequest.hosts of type []string",
        ),
        (b"{", "unexpected end of JSON input"),
        (b"", "unexpected end of JSON input"),
        (b"x", "invalid character 'x' looking for beginning of value"),
        (b"[]", "json: cannot unmarshal array into Go value of type csr.CertificateRequest"),
        (b'{"names":[{"C":5}]}', "json: cannot unmarshal number into Go struct field Name.names.C of type string"),
    ],
)
def test_requests_that_are_none(data: bytes, message: str) -> None:
    """Go's `encoding/json`, as cfssl tells it."""
    with pytest.raises(PkiError) as refused:
        CertificateRequest.read(data)
    assert str(refused.value) == message


def test_hosts_become_names_of_their_kind(authority: Authority) -> None:
    hosts = ["a.b", "1.2.3.4", "joe@x.org", "https://u/x"]
    made = issue(authority, request(hosts=hosts), config())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [type(name) for name in names] == [
        x509.DNSName,
        x509.RFC822Name,
        x509.IPAddress,
        x509.UniformResourceIdentifier,
    ]
    assert describe(made)["sans"] == ["a.b", "1.2.3.4"]


def test_hosts_given_replace_those_asked_for(authority: Authority) -> None:
    made = issue(authority, request(hosts=["a.b"]), config(), hosts=["c.d"])
    assert describe(made)["sans"] == ["c.d"]


def test_several_organizations_share_one_name() -> None:
    subject = request(names=[{"O": "a"}, {"O": "b"}]).subject
    assert [len(list(part)) for part in subject.rdns] == [2, 1]
    values = [attribute.value for attribute in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    assert values == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"x":{}}', 'No "signing" field present'),
        ('{"signing":{"profiles":{"a":{"usages":["signing"]}}}}', '{"code":5200,"message":"empty expiry string"}'),
        (
            '{"signing":{"default":{"expiry":"1x"}}}',
            '{"code":5200,"message":"time: unknown unit \\"x\\" in duration \\"1x\\""}',
        ),
        (
            '{"signing":{"default":{"expiry":"1h"},"profiles":{"a":{"usages":["zap"],"expiry":"1h"}}}}',
            '{"code":5200,"message":"invalid configuration"}',
        ),
        (
            '{"signing":{"default":{"expiry":"1h","auth_key":"k"}}}',
            '{"code":5200,"message":"auth_key in a signing profile is not supported"}',
        ),
        ("{", '{"code":5200,"message":"failed to unmarshal configuration: unexpected end of JSON input"}'),
    ],
)
def test_configs_that_are_none(text: str, message: str) -> None:
    with pytest.raises(PkiError) as refused:
        load_config(text.encode())
    assert str(refused.value) == message


def test_a_profile_without_usages_signs_nothing(authority: Authority) -> None:
    """So an unknown profile's name ends, where the default has no usages: recorded from cfssl."""
    with pytest.raises(PkiError) as refused:
        issue(authority, request(), config(usages=[]), profile="nope")
    assert str(refused.value) == '{"code":5100,"message":"Invalid policy: no key usage available"}'


def test_only_a_profile_makes_an_authority(authority: Authority) -> None:
    with pytest.raises(PkiError, match="Policy violation request"):
        issue(authority, request(ca={"pathlen": 1}), config())
    constraint = {"is_ca": True, "max_path_len": 0, "max_path_len_zero": True}
    made = issue(authority, request(ca={}), config(ca_constraint=constraint))
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    below = Signer(made, load_key(authority.pair.key), config(ca_constraint=constraint))
    with pytest.raises(PkiError, match="Policy violation request"):
        below.sign(process(request(ca={}))[1], NOW)


def test_names_outside_the_whitelist_are_refused(authority: Authority) -> None:
    how = config(name_whitelist=r"^(x|.*\.corp)$")
    assert issue(authority, request(hosts=["a.corp"]), how)
    with pytest.raises(PkiError, match="whitelist"):
        issue(authority, request(hosts=["a.org"]), how)


def test_a_request_signed_by_another_key_is_refused(authority: Authority) -> None:
    """The signature in the request is damaged."""
    _, csr = process(request())
    lines = csr.splitlines()
    middle = bytearray(lines[-3])
    middle[3] = ord("A") if middle[3] != ord("A") else ord("B")
    lines[-3] = bytes(middle)
    with pytest.raises(PkiError) as refused:
        Signer.of(authority.pair, config()).sign(b"\n".join(lines) + b"\n", NOW)
    assert refused.value.code // 1000 == 9


def test_a_new_authority_signs_others() -> None:
    made = initca.create(request(ca={"expiry": "1h"}, key={"algo": "ecdsa", "size": 384}), NOW)
    certificate = load_certificate(made["cert"])
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(
        True, None
    )
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(hours=1)
    signed = Signer.of(Pair(made["cert"], made["key"]), config()).sign(process(request())[1], NOW)
    load_certificate(signed).verify_directly_issued_by(certificate)


def test_an_authority_must_be_called_something() -> None:
    with pytest.raises(PkiError) as refused:
        initca.create(request(CN="", names=[{"O": " "}]), NOW)
    assert str(refused.value) == '{"code":5300,"message":"missing subject information"}'


def test_an_rsa_authority_may_stand_in_the_clusters_directory() -> None:
    """kubeasz's is of RSA."""
    made = initca.create(request(key={"algo": "rsa", "size": 2048}), NOW)
    pair = Authority(Pair(made["cert"], made["key"])).issue_client("joe", ["dev"], NOW)
    load_certificate(pair.certificate).verify_directly_issued_by(load_certificate(made["cert"]))


@pytest.mark.parametrize(
    ("pem", "code"), [(b"", 2002), (b"-----BEGIN X-----\nAAAA\n-----END X-----\n", 2003), (b"junk", 2002)]
)
def test_keys_that_are_none(pem: bytes, code: int) -> None:
    with pytest.raises(PkiError) as refused:
        load_key(pem)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "pem", [b"", b"{}", b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----"]
)
def test_requests_in_pem_that_are_none(pem: bytes) -> None:
    with pytest.raises(PkiError) as refused:
        load_request(pem)
    assert refused.value.code // 1000 == 9


def test_the_files_of_cfssljson(tmp_path: Path) -> None:
    text = bare_files.to_json({"key": b"K", "cert": b"C", "csr": b"R"})
    assert text == '{"cert":"C","csr":"R","key":"K"}'
    written = bare_files.write(bare_files.from_json(text.encode()), str(tmp_path / "u"))
    modes = {path.name: (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) for path in written}
    assert modes == {"u.pem": (b"C", 0o644), "u-key.pem": (b"K", 0o600), "u.csr": (b"R", 0o644)}


def test_an_answer_of_cfssls_api_is_unwrapped() -> None:
    assert bare_files.from_json(b'{"success":true,"result":{"certificate":"C"}}') == {"cert": b"C"}
    with pytest.raises(PkiError, match="Request failed:\n\tm"):
        bare_files.from_json(b'{"success":false,"errors":[{"code":1,"message":"m"}]}')
    with pytest.raises(PkiError, match="Failed to parse input: invalid character 'x' looking for beginning of value"):
        bare_files.from_json(b"x")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("438000h", 438000 * 3600),
        ("1h30m", 5400),
        ("-5m", -300),
        ("1.5s", 1.5),
        ("0", 0),
        (".5ms", 0.0005),
        ("+1us", 1e-6),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """time.ParseDuration."""
    assert parse_duration(text).total_seconds() == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("1", 'time: missing unit in duration "1"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("h", 'time: invalid duration "h"'),
        ("-", 'time: invalid duration "-"'),
        ("9999999h", 'time: invalid duration "9999999h"'),
    ],
)
def test_durations_that_are_none(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="time") as refused:
        parse_duration(text)
    assert str(refused.value) == message
