"""The world of the verbs' tests, made anew for each."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest
from tests.unit.api.world import KINDS, RecordingAdmission, StillClock, World

from tiphys.api.catalog import Catalog
from tiphys.api.service import Api
from tiphys.base.names import RandomIds
from tiphys.schema.definitions import Definitions
from tiphys.store.memory import MemoryStore


@pytest.fixture(scope="session")
def definitions() -> Definitions:
    return Definitions.load(37)


@pytest.fixture
async def world(definitions: Definitions) -> AsyncIterator[World]:
    store = MemoryStore()
    await store.open()
    clock, admission = StillClock(), RecordingAdmission()
    api = Api(store, Catalog(definitions, KINDS), admission, clock, RandomIds(random.Random(1)))
    yield World(api, store, clock, admission)
    await store.close()
