"""Large bodies leave the loop to others (ours)."""

from __future__ import annotations

import asyncio
import threading

import orjson
from tests.unit.api.world import World, config_map

from tiphys.api.encoding import MAX_OBJECT
from tiphys.api.large_body import LARGE
from tiphys.schema.json_syntax import MAX_PARTS

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


def _sized(size: int) -> bytes:
    return orjson.dumps(config_map() | {"data": {"text": "x" * size}})


async def test_a_large_body_is_read_in_a_thread_and_a_small_one_is_not(world: World, monkeypatch) -> None:
    readers: list[threading.Thread] = []
    decode = world.api.decoder.decode

    def noting(*args, **more):
        readers.append(threading.current_thread())
        return decode(*args, **more)

    monkeypatch.setattr(world.api.decoder, "decode", noting)
    await world.ok("POST", CONFIG_MAPS, _sized(LARGE // 2), query="dryRun=All")
    await world.ok("POST", CONFIG_MAPS, _sized(LARGE), query="dryRun=All")
    small, large = readers
    assert small is threading.main_thread()
    assert large is not threading.main_thread()


async def test_others_are_answered_while_a_large_body_is_read(world: World) -> None:
    body = orjson.dumps(config_map() | {f"unknown-{index}": 1 for index in range(100_000)})
    large = asyncio.create_task(world.ask("POST", CONFIG_MAPS, body))
    answered = 0
    while not large.done():
        await world.ok("GET", CONFIG_MAPS)
        answered += 1
        await asyncio.sleep(0)
    assert (await large).status == 201
    assert answered > 3


async def test_refusals_come_out_of_the_thread_as_they_are(world: World) -> None:
    status = await world.refused(400, "POST", CONFIG_MAPS, b'{"data": [' + b" " * LARGE + b"]}")
    assert "cannot unmarshal array" in status["message"]


async def test_a_body_of_too_many_parts_is_refused(world: World) -> None:
    body = b'{"x":[' + b"{}," * MAX_PARTS + b"{}]}"
    message = f"Request entity too large: limit is {MAX_PARTS} objects and lists"
    for method, path, headers in (
        ("POST", CONFIG_MAPS, {}),
        ("POST", CONFIG_MAPS, {"content-type": "application/yaml"}),
        ("DELETE", f"{CONFIG_MAPS}/one", {}),
    ):
        assert (await world.refused(413, method, path, body, headers=headers))["message"] == message
    await world.ok("POST", CONFIG_MAPS, config_map())
    for kind in ("merge", "strategic-merge", "json"):
        patch = {"content-type": f"application/{kind}-patch+json"}
        assert (await world.refused(413, "PATCH", f"{CONFIG_MAPS}/one", body, headers=patch))["message"] == message
    nulls = b'{"x":[' + b"null," * MAX_PARTS + b"null]}"
    await world.refused(413, "POST", CONFIG_MAPS, nulls)


async def test_brackets_within_text_are_no_parts(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map() | {"data": {"text": "[{" * MAX_PARTS}})


async def test_an_object_that_could_not_be_sent_back_is_refused(world: World) -> None:
    """By a patch; by defaults in other kinds. Upstream refuses it in etcd, with a 500."""
    half = "x" * (MAX_OBJECT // 2)
    await world.ok("POST", CONFIG_MAPS, config_map() | {"data": {"a": half}})
    patch = {"content-type": "application/merge-patch+json"}
    more = {"data": {"b": half}}
    status = await world.refused(413, "PATCH", f"{CONFIG_MAPS}/one", more, headers=patch)
    assert status["reason"] == "RequestEntityTooLarge"
    assert list((await world.ok("GET", f"{CONFIG_MAPS}/one"))["data"]) == ["a"]
    body = config_map() | {"metadata": {"name": "two"}, "data": {"a": half, "b": half}}
    await world.refused(413, "POST", CONFIG_MAPS, body)
