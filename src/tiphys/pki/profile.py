"""The signing config: which kinds of certificates an authority issues (cfssl `config/config.go`).

`{"signing": {"default": {…}, "profiles": {NAME: {…}}}}`; a profile says for how long, for what use, and whether the
certificate may itself sign. What cfssl knows beyond the files of one machine (remote signers, their keys, CT logs) is
refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tiphys.pki import go_json
from tiphys.pki.go_duration import parse_duration
from tiphys.pki.pki_error import PkiError, invalid_policy
from tiphys.pki.usage import Usages, read_usages

_NOT_SUPPORTED = (
    "auth_key", "prev_auth_key", "remote", "auth_remote", "ct_log_servers", "allowed_extensions", "cert_store",
    "lint_error_level", "Policies", "policies", "CSRWhitelist", "ClientProvidesSerialNumbers",
)  # fmt: skip
BACKDATE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class CaConstraint:
    is_ca: bool = False
    path_length: int = 0
    path_length_zero: bool = False

    @property
    def limit(self) -> int | None:
        """How many authorities may follow below; None for any number."""
        return None if self.path_length == 0 and not self.path_length_zero else self.path_length


@dataclass(frozen=True, slots=True)
class Profile:
    """How to issue one kind of certificate."""

    usages: Sequence[str] = ()
    expiry: timedelta = timedelta()
    backdate: timedelta = timedelta()
    """Zero: five minutes, so that a client whose clock is behind accepts it."""
    constraint: CaConstraint = CaConstraint()
    issuer_urls: Sequence[str] = ()
    ocsp_url: str = ""
    crl_url: str = ""
    copy_extensions: bool = False
    ocsp_no_check: bool = False
    name_whitelist: re.Pattern[str] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None

    def sorted_usages(self) -> Usages:
        return read_usages(self.usages)


DEFAULT = Profile(("signing", "key encipherment", "server auth", "client auth"), timedelta(hours=8760))
"""Where there is no config, or one without a default."""


@dataclass(frozen=True, slots=True)
class SigningConfig:
    default: Profile = DEFAULT
    profiles: Mapping[str, Profile] = field(default_factory=dict)

    def profile(self, name: str) -> Profile:
        """The one of that name, or the default: cfssl does not complain about a name it does not know."""
        return self.profiles.get(name, self.default)


def read_config(path: Path) -> SigningConfig:
    """Raises PkiError 5200 for a file that is not there or not a config."""
    try:
        data = path.read_bytes()
    except OSError:
        raise invalid_policy("could not read configuration file") from None
    return load_config(data)


def load_config(data: bytes) -> SigningConfig:
    """Raises PkiError."""
    try:
        top = go_json.Struct.of(go_json.load(data), "Config", package="config.")
        if top.fields.get("signing") is None:
            raise PkiError('No "signing" field present')
        signing = top.struct("signing", "Signing", "config.")
        default = _profile(signing.struct("default", "SigningProfile")) if signing.fields.get("default") else DEFAULT
        entries = signing.struct("profiles", "map[string]*config.SigningProfile")
        profiles = {name: _profile(entries.struct(name, "SigningProfile")) for name in entries.fields}
    except PkiError as error:
        if error.message.startswith(("json:", "invalid character", "unexpected end", "exceeded")):
            raise invalid_policy(f"failed to unmarshal configuration: {error.message}") from None
        raise
    if not default.expiry or any(not _known(profile) for profile in profiles.values()):
        raise invalid_policy("invalid configuration")
    return SigningConfig(default, profiles)


def _known(profile: Profile) -> bool:
    """At least one of its usages means something."""
    return len(profile.sorted_usages().unknown) < len(profile.usages)


def _profile(entry: go_json.Struct) -> Profile:
    for name in _NOT_SUPPORTED:
        if entry.fields.get(name):
            raise invalid_policy(f"{name} in a signing profile is not supported")
    if not entry.text("expiry"):
        raise invalid_policy("empty expiry string")
    constraint = entry.struct("ca_constraint", "CAConstraint")
    return Profile(
        tuple(entry.texts("usages")),
        _duration(entry.text("expiry")),
        _duration(entry.text("backdate") or "0"),
        CaConstraint(
            constraint.flag("is_ca"), constraint.number("max_path_len"), constraint.flag("max_path_len_zero")
        ),
        tuple(entry.texts("issuer_urls")),
        entry.text("ocsp_url"),
        entry.text("crl_url"),
        entry.flag("copy_extensions"),
        entry.flag("ocsp_no_check"),
        _pattern(entry.text("name_whitelist")),
        _time(entry.text("not_before")),
        _time(entry.text("not_after")),
    )


def _duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise invalid_policy(str(error)) from None


def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error:
        raise invalid_policy("failed to compile name whitelist section") from None


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise invalid_policy(f'parsing time "{text}"') from None
