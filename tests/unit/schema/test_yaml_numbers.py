"""Numbers in YAML bodies that must not cost more than their length (sigs.k8s.io/yaml reads base 60 as strings)."""

from __future__ import annotations

import time

import orjson
import pytest

from tiphys.base.status import StatusError
from tiphys.schema.decode import Decoder
from tiphys.schema.definitions import Definitions

DECODER = Decoder(Definitions.load(37))


def _decode(value: str) -> object:
    body = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\nimmutable: {value}\n".encode()
    return DECODER.decode_yaml(body, "", "v1", "ConfigMap")


@pytest.mark.parametrize(
    "value", ["1" * 1_000_000, "0x" + "f" * 1_000_000, "1:" * 500_000 + "1", "1." + "1" * 1_000_000]
)
def test_a_giant_number_is_refused_at_once(value: str) -> None:
    began = time.perf_counter()
    with pytest.raises(StatusError) as refused:
        _decode(value)
    assert refused.value.code == 400
    assert time.perf_counter() - began < 2
    assert orjson.dumps(refused.value.document())
