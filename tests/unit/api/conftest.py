"""The world of the verbs' tests, made anew for each."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable

import pytest
from tests.unit.api.small_catalog import KINDS as SMALL
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
    api = Api(store, Catalog(definitions, KINDS, {"api/all": True}), admission, clock, RandomIds(random.Random(1)))
    yield World(api, store, clock, admission)
    await store.close()


@pytest.fixture
def catalog_of() -> Callable[[int], Catalog]:
    """A small catalog in a given minor version."""
    return lambda minor: Catalog(Definitions.load(minor), SMALL)


@pytest.fixture
def catalog(catalog_of: Callable[[int], Catalog]) -> Catalog:
    return catalog_of(37)
