"""The signing keys of the session, and a world of tokens for each test."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from token_world import World, new_key

from tiphys.pki.service_account_key import ServiceAccountKeys, key_id


@pytest.fixture(scope="session")
def keys() -> ServiceAccountKeys:
    key = new_key()
    return ServiceAccountKeys(key, {key_id(key.public_key()): key.public_key()})


@pytest.fixture
def world(keys: ServiceAccountKeys) -> World:
    return World(keys)
