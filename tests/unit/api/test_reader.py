"""Reads and writes for admission plugins (ours)."""

from __future__ import annotations

import pytest
from tests.unit.api.world import CONFIG_MAPS, PODS, World, config_map, pod

from tiphys.api.reader import DocumentReader
from tiphys.base.status import StatusError


async def test_a_record_is_decoded_once_a_revision(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "1"}))
    first = await world.api.reader.get("", "configmaps", "default", "one")
    assert first is not None
    assert await world.api.reader.get("", "configmaps", "default", "one") is first
    assert (await world.api.reader.list("", "configmaps"))[0] is first
    await world.ok("PUT", f"{CONFIG_MAPS}/one", config_map(data={"a": "2"}))
    second = await world.api.reader.get("", "configmaps", "default", "one")
    assert second is not None
    assert (first["data"], second["data"]) == ({"a": "1"}, {"a": "2"})


async def test_an_object_made_anew_is_not_the_old_one(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map(data={"a": "1"}))
    await world.api.reader.get("", "configmaps", "default", "one")
    await world.ok("DELETE", f"{CONFIG_MAPS}/one")
    assert await world.api.reader.get("", "configmaps", "default", "one") is None


async def test_lists_of_a_namespace_and_of_what_is_not_served(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map())
    await world.ok("POST", "/api/v1/namespaces/other/configmaps", config_map("two"))
    reader = world.api.reader
    assert [each["metadata"]["name"] for each in await reader.list("", "configmaps", "other")] == ["two"]
    assert len(await reader.list("", "configmaps")) == 2
    assert await reader.list("none", "things") == ()
    assert await reader.get("none", "things", "", "x") is None


async def test_no_more_is_kept_than_may_be(world: World) -> None:
    for name in ("a", "b", "c"):
        await world.ok("POST", CONFIG_MAPS, config_map(name))
    reader = DocumentReader(world.store, world.api.catalog, kept=2)
    first = await reader.get("", "configmaps", "default", "a")
    await reader.list("", "configmaps")
    assert await reader.get("", "configmaps", "default", "a") is not first


async def test_a_status_is_written_past_admission(world: World) -> None:
    made = await world.ok("POST", PODS, pod())
    world.admission.seen.clear()
    written = await world.api.writer.replace_status("", "pods", {**made, "status": {"phase": "Running"}})
    assert (written["status"], written["metadata"]["resourceVersion"]) == ({"phase": "Running"}, "2")
    assert await world.ok("GET", f"{PODS}/web") == written
    assert world.admission.seen == []
    with pytest.raises(StatusError) as stale:
        await world.api.writer.replace_status("", "pods", made)
    assert (stale.value.code, stale.value.reason) == (409, "Conflict")
    await world.ok("DELETE", f"{PODS}/web")
    with pytest.raises(StatusError) as gone:
        await world.api.writer.replace_status("", "pods", made)
    assert gone.value.code == 404
