"""A world with its pipeline, for what takes more than one part of it; keys and a world of tokens."""

from __future__ import annotations

import pytest
from tests.unit.auth.pipeline_world import new_world
from tests.unit.auth.token_world import World, new_key

from tiphys.pki.service_account_key import ServiceAccountKeys, key_id


@pytest.fixture
async def world():
    async with new_world() as made:
        yield made


@pytest.fixture(scope="session")
def keys() -> ServiceAccountKeys:
    key = new_key()
    return ServiceAccountKeys(key, {key_id(key.public_key()): key.public_key()})


@pytest.fixture
def token_world(keys: ServiceAccountKeys) -> World:
    return World(keys)
