"""What schemathesis makes of our own OpenAPI v3 documents, in bounds and out of them: no failure, no hang.

Operations of every group, through the pipeline without a socket: every third one, since making a body of a pod's
schema takes schemathesis a second; with TIPHYS_EXAMPLES=2 (or more) all of them. Expectations are ours; what answers
must hold is in `in_process`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Case, GenerationMode

from tests.siege.in_process import Asked, Besieged, besieged
from tiphys.api.catalog import Catalog
from tiphys.base.discovery import discover
from tiphys.schema.definitions import Definitions

EXAMPLES = int(os.environ.get("TIPHYS_EXAMPLES", "2"))
STRIDE = 1 if "TIPHYS_EXAMPLES" in os.environ else 3
GROUPS = sorted({r.api_version for r in Catalog(Definitions.load(37), discover("tiphys.kinds", "KIND")).resources()})
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def siege(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    context = besieged(tmp_path_factory.mktemp("siege"))
    yield runner.run(context.__aenter__())
    runner.run(context.__aexit__(None, None, None))


def asked(case: Case) -> Asked:
    """The request as `requests` would send it, aimed at the namespace there is."""
    if "namespace" in case.path_parameters:
        case.path_parameters["namespace"] = "default"
    sent = requests.Request(**case.as_transport_kwargs(base_url="http://server")).prepare()
    path, _, query = sent.path_url.partition("?")
    headers = {name.lower(): _text(value) for name, value in sent.headers.items()}
    body = sent.body.encode("utf-8", "surrogatepass") if isinstance(sent.body, str) else sent.body or b""
    return Asked(sent.method or "GET", requests.utils.unquote(path), query, headers, body)


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@pytest.mark.parametrize("group", GROUPS)
def test_the_operations_we_document(siege: Besieged, runner: asyncio.Runner, group: str) -> None:
    path = f"/openapi/v3/{'apis' if '/' in group else 'api'}/{group}"
    schema = schemathesis.openapi.from_dict(runner.run(siege.ask(Asked("GET", path))).document)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert operations
    for operation in operations[::STRIDE]:
        for mode in MODES:

            @bounded
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Case) -> None:
                runner.run(siege.besiege(asked(case)))

            ask()
