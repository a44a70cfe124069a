#!/usr/bin/env python3
"""What protobuf costs against JSON, in one run: a two-container pod read and written, and a list of 10,000 pods."""

from __future__ import annotations

import time
from typing import Any

import orjson
from schema import POD, microseconds

from tiphys.api import protobuf
from tiphys.api.catalog import Resource
from tiphys.api.encoding import encode, list_items
from tiphys.api.kind import Kind
from tiphys.schema.decode import Decoder
from tiphys.schema.definitions import Definitions
from tiphys.store.contract import Record
from tiphys.wire.envelope import open_envelope, read_message
from tiphys.wire.messages import message_of

PODS = Resource(Kind(kind="Pod", plural="pods"), "v1", "v1", "io.k8s.api.core.v1.Pod")
MANY = 10_000


def main() -> None:
    decoder = Decoder(Definitions.load(37))
    started = time.perf_counter()
    message = message_of(PODS.definition)
    assert message is not None
    first = (time.perf_counter() - started) * 1e3
    in_json, sent = orjson.dumps(POD), protobuf.encode(decoder.definitions, POD)
    raw = open_envelope(sent).raw
    print(f"a pod of {len(in_json)} bytes of JSON, {len(sent)} of protobuf; making its codec took {first:.1f} ms")
    rows: list[tuple[str, Any, Any]] = [
        ("read", lambda: read_message(message, raw), lambda: orjson.loads(in_json)),
        ("write", lambda: message.write(POD), lambda: orjson.dumps(POD)),
        ("body checked", lambda: protobuf.decode(decoder, sent, "", "v1", "Pod"),
         lambda: decoder.decode(in_json, "", "v1", "Pod")),
    ]  # fmt: skip
    for name, ours, theirs in rows:
        mine, other = microseconds(ours, 2000), microseconds(theirs, 2000)
        print(f"{name:14} {mine:7.1f} µs   JSON {other:6.1f} µs  {mine / other:6.1f} x")
    _lists()


def _lists() -> None:
    metadata = {"name": "web", "namespace": "default", "uid": "3f2b", "creationTimestamp": "2022-06-07T01:23:10Z"}
    value = encode({**POD, "metadata": {**POD["metadata"], **metadata}})  # type: ignore[dict-item]
    records = [Record(f"/registry/pods/default/{number}", value, 1) for number in range(MANY)]
    for name in ("first", "again"):
        print(f"list of {MANY:,} pods, {name}: {_seconds(lambda: protobuf.encode_records(PODS, records, {})):.3f} s")
    joined = _seconds(lambda: b",".join(list_items(PODS, [record.value for record in records])))
    print(f"list of {MANY:,} pods, JSON: {joined:.3f} s")


def _seconds(function: Any) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
