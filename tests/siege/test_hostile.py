"""No body, query or header makes the server fail: what is wrong is refused in Status objects and changes nothing.

Every served kind (all versions that can be switched on), through the whole pipeline without a socket. TIPHYS_EXAMPLES
asks for more examples of each (20 unless told). Expectations are ours; 501 is for what is not supported yet, 504 for
a version from the future.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.siege import hostility, manifests
from tests.siege.in_process import Asked, Besieged, besieged
from tiphys.api.catalog import Catalog, Resource
from tiphys.base.discovery import discover
from tiphys.schema.definitions import Definitions

EXAMPLES = int(os.environ.get("TIPHYS_EXAMPLES", "20"))
EVERYTHING = {"api/all": True}
DEFINITIONS = Definitions.load(37)
RESOURCES = Catalog(DEFINITIONS, discover("tiphys.kinds", "KIND"), EVERYTHING).resources()
TABLE = {"accept": "application/json;as=Table;v=v1;g=meta.k8s.io"}
hostile = settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def siege(runner: asyncio.Runner, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    context = besieged(tmp_path_factory.mktemp("siege"), runtime_config=EVERYTHING)
    yield runner.run(context.__aenter__())
    runner.run(context.__aexit__(None, None, None))


def _title(resource: Resource) -> str:
    return f"{resource.api_version}/{resource.kind.plural}"


def collection(resource: Resource) -> str:
    root = "/apis/" if resource.kind.group else "/api/"
    place = "namespaces/default/" if resource.kind.namespaced else ""
    return f"{root}{resource.api_version}/{place}{resource.kind.plural}"


def creation(resource: Resource, chance: random.Random) -> bytes:
    """From a good object to no object at all."""
    how = chance.random()
    if how < 0.1:
        return orjson.dumps(manifests.typed(resource, DEFINITIONS, chance.randrange(1 << 30)))
    if how < 0.3:
        return orjson.dumps(manifests.mixed(resource, DEFINITIONS, chance))
    document = manifests.accepted(resource) if how < 0.7 else manifests.mixed(resource, DEFINITIONS, chance)
    if how > 0.92:
        return hostility.broken(orjson.dumps(document), chance)
    return hostility.spoilt(document, chance, chance.choice((1, 1, 2, 4)))


def change(resource: Resource, name: str, chance: random.Random) -> Asked:
    """An update or a patch of an object or of one of its subresources."""
    document = manifests.mixed(resource, DEFINITIONS, chance)
    subresources = [subresource.name for subresource in resource.kind.subresources]
    path = f"{collection(resource)}/{name}"
    if subresources and chance.random() < 0.4:
        path += f"/{chance.choice(subresources)}"
    method = chance.choice(("PUT", "POST", "PATCH", "PATCH", "PATCH", "DELETE"))
    content_type, body = "application/json", hostility.spoilt(document, chance)
    if method == "PATCH":
        content_type = chance.choice(hostility.PATCHES)
        if content_type == hostility.PATCHES[0]:
            body = hostility.json_patch(document, chance)
    elif chance.random() < 0.15:
        content_type, body = "application/yaml", hostility.as_yaml(document, chance)
    return Asked(method, path, hostility.query(chance), hostility.headers(chance, content_type), body)


def reading(resource: Resource, name: str, chance: random.Random) -> Asked:
    path = collection(resource) + chance.choice(("", "", f"/{name}", f"/{name}/status", "/%00", "/" + "a" * 5000))
    headers = hostility.headers(chance)
    return Asked(chance.choice(("GET", "GET", "HEAD")), path, hostility.query(chance, reading=True), headers)


async def storm(siege: Besieged, resource: Resource, chance: random.Random) -> None:
    """Creates, changes and reads of one kind, then all of it read back and removed."""
    name = manifests.accepted(resource)["metadata"]["name"]
    path = collection(resource)
    body = creation(resource, chance)
    made = await siege.besiege(Asked("POST", path, hostility.query(chance), hostility.headers(chance), body))
    if made.status not in (200, 201):
        await siege.besiege(Asked("POST", path, body=orjson.dumps(manifests.accepted(resource))))
    for _ in range(3):
        await siege.besiege(change(resource, name, chance))
    await siege.besiege(reading(resource, name, chance))
    await siege.besiege(Asked("GET", path, headers=TABLE))
    await siege.besiege(Asked("GET", path, headers={"accept": "application/vnd.kubernetes.protobuf"}))
    await remove(siege, path)


async def remove(siege: Besieged, path: str) -> None:
    """Whatever finalizers or grace keep of it."""
    listed = (await siege.ask(Asked("GET", path))).document
    for item in listed.get("items") or ():
        name = item["metadata"]["name"]
        if path.endswith(("namespaces", "serviceaccounts")) and name == "default":
            continue
        patch = {"content-type": "application/merge-patch+json"}
        await siege.besiege(Asked("DELETE", f"{path}/{name}", "gracePeriodSeconds=0"))
        body = orjson.dumps({"metadata": {"finalizers": None}, "spec": {"finalizers": None}})
        await siege.besiege(Asked("PATCH", f"{path}/{name}", headers=patch, body=body))


@pytest.mark.parametrize("resource", RESOURCES, ids=_title)
def test_every_kind_under_siege(siege: Besieged, runner: asyncio.Runner, resource: Resource) -> None:
    @hostile
    @given(st.integers(0, 2**32))
    def ask(seed: int) -> None:
        runner.run(storm(siege, resource, random.Random(seed)))

    ask()


def test_good_objects_are_accepted(siege: Besieged, runner: asyncio.Runner, tmp_path: Path) -> None:
    """So that the siege is not one of doors that are shut anyway."""

    async def create(resource: Resource) -> int:
        path = collection(resource)
        answered = await siege.besiege(Asked("POST", path, body=orjson.dumps(manifests.accepted(resource))))
        await remove(siege, path)
        return answered.status

    stored = [each for each in RESOURCES if "list" in each.kind.verbs and "create" in each.kind.verbs]
    refused = [_title(each) for each in stored if runner.run(create(each)) != 201]
    assert len(refused) < 10, refused
