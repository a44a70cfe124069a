"""A world with its pipeline, for what takes more than one part of it."""

from __future__ import annotations

import pytest
from tests.unit.auth.pipeline_world import new_world


@pytest.fixture
async def world():
    async with new_world() as made:
        yield made
