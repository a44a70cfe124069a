"""Bodies and answers in protobuf: the documents are those that JSON would have given."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.unit.api.world import CONFIG_MAPS, DEPLOYMENTS, NAMESPACES, PODS, World, config_map, deployment, pod

from tiphys.api import protobuf
from tiphys.base.http import PROTOBUF, PROTOBUF_WATCH
from tiphys.base.status import StatusError
from tiphys.schema.decode import Decoder
from tiphys.schema.definitions import Definitions
from tiphys.wire.envelope import PREFIX, envelope, open_envelope, read_message
from tiphys.wire.messages import message_of

ACCEPT = {"accept": f"{PROTOBUF},application/json"}
SENT = {"content-type": PROTOBUF}
META = "io.k8s.apimachinery.pkg.apis.meta.v1"

RECORDED = json.loads((Path(__file__).parents[1] / "wire" / "kubectl_1_37.json").read_text())
"""What kubectl 1.37 sent for each command (`body`, in hexadecimal), and what it prints with --dry-run=client."""


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(Definitions.load(37))


def opened(body: Any, definition: str) -> dict[str, Any]:
    unknown = open_envelope(body)
    message = message_of(definition)
    assert message is not None
    return {"apiVersion": unknown.api_version, "kind": unknown.kind, **read_message(message, unknown.raw)}


@pytest.mark.parametrize("sent", RECORDED, ids=lambda sent: " ".join(sent["command"].split()[2:5]))
def test_what_kubectl_creates_is_what_it_would_send_as_json(decoder: Decoder, sent: dict[str, Any]) -> None:
    printed = sent["document"]
    group, _, version = printed["apiVersion"].rpartition("/")
    read = protobuf.decode(decoder, bytes.fromhex(sent["body"]), group, version, printed["kind"])
    assert read == decoder.check(printed, group, version, printed["kind"])[0]


async def test_an_object_there_and_back(world: World) -> None:
    body = protobuf.encode(world.api.catalog.definitions, deployment("web", replicas=0))
    response = await world.ask("POST", DEPLOYMENTS, body, headers={**SENT, **ACCEPT})
    assert (response.status, response.content_type) == (201, PROTOBUF)
    told = opened(response.body, "io.k8s.api.apps.v1.Deployment")
    stored = await world.ok("GET", f"{DEPLOYMENTS}/web")
    assert stored["spec"]["replicas"] == 0  # behind a pointer: not the same as unsaid
    assert stored["spec"]["template"]["spec"]["containers"] == [{"name": "main", "image": "nginx", "resources": {}}]
    assert told["metadata"] == stored["metadata"]
    assert told["kind"] == "Deployment"


async def test_lists_are_the_same_each_time(world: World) -> None:
    for name in "ab":
        await world.ok("POST", PODS, pod(name))
    first = await world.ask("GET", PODS, headers=ACCEPT)
    again = await world.ask("GET", PODS, headers=ACCEPT)
    assert first.body == again.body
    told = opened(first.body, "io.k8s.api.core.v1.PodList")
    listed = await world.ok("GET", PODS)
    assert (told["kind"], told["metadata"]) == ("PodList", listed["metadata"])
    assert [item["metadata"] for item in told["items"]] == [item["metadata"] for item in listed["items"]]


async def test_a_list_in_another_version_is_not_the_one_kept(world: World) -> None:
    path, body = (
        "/apis/autoscaling/{}/namespaces/default/horizontalpodautoscalers",
        {
            "apiVersion": "autoscaling/v2",
            "metadata": {"name": "a"},
            "spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
        },
    )
    await world.ok("POST", path.format("v2"), body)
    for version in ("v2", "v1"):
        response = await world.ask("GET", path.format(version), headers=ACCEPT)
        told = opened(response.body, f"io.k8s.api.autoscaling.{version}.HorizontalPodAutoscalerList")
        assert told["apiVersion"] == f"autoscaling/{version}"
        assert ("targetCPUUtilizationPercentage" in told["items"][0]["spec"]) == (version == "v1")


async def test_metadata_alone(world: World) -> None:
    await world.ok("POST", PODS, pod("a"))
    form = ";as=PartialObjectMetadata{};g=meta.k8s.io;v=v1"
    response = await world.ask("GET", f"{PODS}/a", headers={"accept": PROTOBUF + form.format("")})
    told = opened(response.body, f"{META}.PartialObjectMetadata")
    assert (told["apiVersion"], told["kind"]) == ("meta.k8s.io/v1", "PartialObjectMetadata")
    response = await world.ask("GET", PODS, headers={"accept": PROTOBUF + form.format("List")})
    assert opened(response.body, f"{META}.PartialObjectMetadataList")["items"] == [{"metadata": told["metadata"]}]


async def test_refusals_too(world: World) -> None:
    response = await world.ask("GET", f"{PODS}/none", headers=ACCEPT)
    assert (response.status, response.content_type) == (404, PROTOBUF)
    told = opened(response.body, f"{META}.Status")
    assert (told["kind"], told["apiVersion"], told["reason"], told["code"]) == ("Status", "v1", "NotFound", 404)
    assert told["details"] == {"name": "none", "kind": "pods"}


async def test_deleting_with_options(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map("a"))
    options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "other"}}
    body = protobuf.encode(world.api.catalog.definitions, options)
    await world.refused(409, "DELETE", f"{CONFIG_MAPS}/a", body, headers=SENT)


async def test_a_watch_is_frames(world: World) -> None:
    await world.ok("POST", CONFIG_MAPS, config_map("a", data={"x": "y"}))
    query = {"watch": "1", "resourceVersion": "1", "timeoutSeconds": "30"}
    await world.ok("DELETE", f"{CONFIG_MAPS}/a")
    response = await world.ask("GET", CONFIG_MAPS, query=query, headers=ACCEPT)
    assert response.content_type == PROTOBUF_WATCH and not isinstance(response.body, bytes)
    chunk = await anext(aiter(response.body))
    size = int.from_bytes(chunk[:4], "big")
    assert len(chunk) == 4 + size
    message = message_of(f"{META}.WatchEvent")
    assert message is not None and chunk[4:6] == b"\x0a\x07" and chunk[6:13] == b"DELETED"
    start = chunk.index(PREFIX)
    told = opened(chunk[start:], "io.k8s.api.core.v1.ConfigMap")
    assert told["data"] == {"x": "y"}


async def test_a_watch_that_cannot_be_is_told_in_a_frame(world: World) -> None:
    query = {"watch": "1", "resourceVersion": "999", "sendInitialEvents": "true"}
    query["resourceVersionMatch"] = "NotOlderThan"
    response = await world.ask("GET", CONFIG_MAPS, query=query, headers=ACCEPT)
    assert not isinstance(response.body, bytes)
    chunk = await anext(aiter(response.body))
    told = opened(chunk[chunk.index(PREFIX) :], f"{META}.Status")
    assert chunk[6:11] == b"ERROR" and told["code"] == 504


FRAME = 'Namespace in version "v1" cannot be handled as a Namespace: '
UNRECOGNIZED = "the object provided is unrecognized (must be of type Namespace): "


@pytest.mark.parametrize(
    ("body", "message"),
    [
        # apimachinery serializer/protobuf Decode, apiserver rest.go transformDecodeError and summarizeData
        (b"", UNRECOGNIZED + "empty data (<empty>)"),
        (b"k8s\0", UNRECOGNIZED + "empty body (6b387300)"),
        (
            b"{}",
            UNRECOGNIZED + "provided data does not appear to be a protobuf message, "
            "expected prefix [107 56 115 0] ({})",
        ),
        (b"k8s\0\x0a\xff", UNRECOGNIZED + "unexpected EOF (6b3873000aff)"),
        # Go's generated decoders
        (envelope("v1", "Namespace", b"\x08\x01"), FRAME + "proto: wrong wireType = 0 for field ObjectMeta"),
        (envelope("v1", "Namespace", b"\x0a\x02\x28\x01"), FRAME + "proto: wrong wireType = 0 for field UID"),
        (envelope("v1", "Namespace", b"\x0a\x05"), FRAME + "unexpected EOF"),
        (envelope("v1", "Namespace", b"\x02"), FRAME + "proto: Namespace: illegal tag 0 (wire type 2)"),
        (envelope("v1", "Namespace", b"\x0c"), FRAME + "proto: Namespace: wiretype end group for non-group"),
        (envelope("v1", "Namespace", b"\xff" * 11), FRAME + "proto: integer overflow"),
        (envelope("v1", "Namespace", b"\x7f"), FRAME + "proto: illegal wireType 7"),
    ],
)
async def test_malformed_bodies(world: World, body: bytes, message: str) -> None:
    assert (await world.refused(400, "POST", NAMESPACES, body, headers=SENT))["message"] == message


async def test_another_kind_is_refused_as_in_json(world: World) -> None:
    said = envelope("v1", "Nothing", b"\x0a\x00")
    in_json = await world.refused(400, "POST", NAMESPACES, {"apiVersion": "v1", "kind": "Nothing"})
    assert (await world.refused(400, "POST", NAMESPACES, said, headers=SENT))["message"] == in_json["message"]


async def test_an_object_that_does_not_say_its_type_is_what_is_asked_for(world: World) -> None:
    body = envelope("", "", b"\x0a\x03\x0a\x01a")
    response = await world.ask("POST", NAMESPACES, body, headers=SENT)
    assert isinstance(response.body, bytes)
    assert orjson.loads(response.body)["metadata"]["name"] == "a"


def test_what_has_no_form_on_the_wire_is_not_acceptable(decoder: Decoder) -> None:
    with pytest.raises(StatusError) as refused:
        protobuf.encode(decoder.definitions, {"apiVersion": "meta.k8s.io/v1", "kind": "Table"})
    assert refused.value.code == 406


def test_who_speaks_json_does_not_wait_for_protobuf() -> None:
    code = "import sys, tiphys.api.service; sys.exit('tiphys.wire.message' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": os.pathsep.join(sys.path)}).returncode == 0
