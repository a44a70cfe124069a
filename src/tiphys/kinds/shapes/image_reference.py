"""What an image reference says about pulling: `:latest`, stated or implied, is always pulled anew.

The grammar is that of distribution/reference, as `pkg/util/parsers` uses it.
"""

from __future__ import annotations

import re
from functools import lru_cache

_COMPONENT = "[a-z0-9]+(?:(?:[.]|_{1,2}|-+)[a-z0-9]+)*"
_REMAINDER = re.compile(
    rf"(?P<path>{_COMPONENT}(?:/{_COMPONENT})*)"
    "(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    "(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?"
)
_DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = re.compile(rf"{_DOMAIN_PART}(?:[.]{_DOMAIN_PART})*(?::[0-9]+)?")
_IDENTIFIER = re.compile("[a-f0-9]{64}")


@lru_cache(maxsize=4096)
def tag(image: str) -> str:
    """The tag; `latest` without tag and digest; empty for a reference that cannot be parsed."""
    if len(image) > 1024 or _IDENTIFIER.fullmatch(image):
        return ""
    domain, remainder = _split_domain(image)
    found = _REMAINDER.fullmatch(remainder)
    if not found or not _DOMAIN.fullmatch(domain) or len(domain) + 1 + len(found["path"]) > 255:
        return ""
    return found["tag"] or ("" if found["digest"] else "latest")


def default_pull_policy(image: str) -> str:
    """`Always` for the tag latest, otherwise `IfNotPresent` (SetDefaults_Container)."""
    return "Always" if tag(image) == "latest" else "IfNotPresent"


def _split_domain(image: str) -> tuple[str, str]:
    first, slash, rest = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        domain, remainder = first, rest
    else:
        domain, remainder = "docker.io", image
    if domain in ("docker.io", "index.docker.io") and "/" not in remainder:
        return "docker.io", f"library/{remainder}"
    return domain, remainder
