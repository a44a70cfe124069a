"""Defaults as a client sees them: every pair in tests/golden/defaults.

An input's first line names the minor version. `deployment_request_ratio` is checked against what a 1.2x API server
printed (the worked example's notes); the others were read against upstream's defaults.go when they were recorded.
Set TIPHYS_REGENERATE_GOLDEN=1 to write the outputs anew.
"""

import os
from pathlib import Path

import orjson
import pytest
import yaml
from tests.unit.kinds.hooks import context

from tiphys.api.catalog import Catalog
from tiphys.base.discovery import discover
from tiphys.schema.decode import STRICT, Decoder
from tiphys.schema.definitions import Definitions

GOLDEN = Path(__file__).parents[2] / "golden" / "defaults"
NAMES = sorted(path.name.removesuffix(".input.yaml") for path in GOLDEN.glob("*.input.yaml"))
KINDS = discover("tiphys.kinds", "KIND")


def decoded_and_defaulted(text: str) -> str:
    minor = int(text.splitlines()[0].removeprefix("# minor: "))
    document, definitions = yaml.safe_load(text), Definitions.load(minor)
    group, _, version = document["apiVersion"].rpartition("/")
    resource = Catalog(definitions, KINDS).find_kind(group, version, document["kind"])
    assert resource and resource.kind.default
    decoder, body = Decoder(definitions), orjson.dumps(document)
    made, _ = decoder.decode(body, group, version, document["kind"], validation=STRICT)
    resource.kind.default(made, context(minor))
    return yaml.safe_dump(made)


@pytest.mark.parametrize("name", NAMES)
def test_golden(name: str) -> None:
    made = decoded_and_defaulted((GOLDEN / f"{name}.input.yaml").read_text())
    output = GOLDEN / f"{name}.output.yaml"
    if os.environ.get("TIPHYS_REGENERATE_GOLDEN"):
        output.write_text(made)
    assert yaml.safe_load(made) == yaml.safe_load(output.read_text())


def test_golden_pairs_are_complete() -> None:
    outputs = {path.name.removesuffix(".output.yaml") for path in GOLDEN.glob("*.output.yaml")}
    assert len(NAMES) > 7 and outputs == set(NAMES)
