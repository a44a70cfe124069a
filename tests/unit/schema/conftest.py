"""One Decoder a version for all schema tests: making one costs milliseconds."""

from __future__ import annotations

from functools import cache

import pytest

from tiphys.schema.decode import Decoder
from tiphys.schema.definitions import Definitions


@cache
def decoder_of(minor: int) -> Decoder:
    return Decoder(Definitions.load(minor))


@pytest.fixture
def decoder() -> Decoder:
    return decoder_of(37)


@pytest.fixture(params=[25, 30, 33, 34, 37])
def any_decoder(request: pytest.FixtureRequest) -> Decoder:
    return decoder_of(request.param)
