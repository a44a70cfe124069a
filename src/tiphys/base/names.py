"""Random names and identities, by upstream's rules (apimachinery `util/rand`, `names`)."""

from __future__ import annotations

import random
import uuid
from typing import Protocol

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels and no 0, 1, 3, so that a random suffix spells nothing and is not misread."""

MAX_NAME = 63
SUFFIX = 5


class Ids(Protocol):
    """Where random suffixes and uids come from; a seeded one makes a run repeatable."""

    def suffix(self, length: int = SUFFIX) -> str: ...

    def uid(self) -> str: ...


class RandomIds:
    """Ids from a random source: the system's by default, a seeded one for a repeatable run."""

    def __init__(self, source: random.Random | None = None) -> None:
        self._source = source or random.Random()

    def suffix(self, length: int = SUFFIX) -> str:
        return "".join(self._source.choices(ALPHABET, k=length))

    def uid(self) -> str:
        return str(uuid.UUID(int=self._source.getrandbits(128), version=4))


def generate_name(base: str, ids: Ids) -> str:
    """`base` cut to leave room, and five random characters (names.SimpleNameGenerator)."""
    return base[: MAX_NAME - SUFFIX] + ids.suffix()


def safe_encode(text: str) -> str:
    """Each byte folded into the alphabet (rand.SafeEncodeString), as in pod-template-hash."""
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in text.encode())
