#!/usr/bin/env python3
"""What it costs to decode and type-check a two-container pod, against orjson.loads alone, in one run."""

from __future__ import annotations

import timeit
from collections.abc import Callable

import orjson

from tiphys.schema.decode import Decoder
from tiphys.schema.definitions import Definitions

CONTAINER = {
    "image": "nginx:1.21",
    "command": ["nginx"],
    "args": ["-g", "daemon off;"],
    "ports": [{"containerPort": 80, "protocol": "TCP"}],
    "env": [
        {"name": "MODE", "value": "x"},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ],
    "resources": {"limits": {"cpu": "500m", "memory": "128Mi"}, "requests": {"cpu": "250m", "memory": "64Mi"}},
    "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    "livenessProbe": {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 5},
}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"generateName": "web-", "namespace": "default", "labels": {"app": "web"}},
    "spec": {
        "containers": [{"name": "web", **CONTAINER}, {"name": "side", **CONTAINER}],
        "volumes": [{"name": "data", "emptyDir": {}}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "a", "operator": "Exists"}],
    },
}


def microseconds(function: Callable[[], object], number: int = 5000) -> float:
    return min(timeit.repeat(function, number=number, repeat=5)) / number * 1e6


def main() -> None:
    decoder = Decoder(Definitions.load(37))
    body, odd = orjson.dumps(POD), orjson.dumps({**POD, "unknown": None})
    first = timeit.timeit(lambda: decoder.decode(body, "", "v1", "Pod"), number=1) * 1e3
    plain = microseconds(lambda: orjson.loads(body))
    fast = microseconds(lambda: decoder.decode(body, "", "v1", "Pod"))
    careful = microseconds(lambda: decoder.decode(odd, "", "v1", "Pod"), number=1000)
    print(f"a pod of {len(body)} bytes; the first of its kind takes {first:.1f} ms")
    print(f"orjson.loads    {plain:7.1f} µs     1.0 x")
    print(f"decode, fast    {fast:7.1f} µs  {fast / plain:6.1f} x")
    print(f"decode, careful {careful:7.1f} µs  {careful / plain:6.1f} x")


if __name__ == "__main__":
    main()
