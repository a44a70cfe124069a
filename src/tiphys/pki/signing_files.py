"""The files beside a cluster's CA that cfssl signs with: its config, and the requests its certificates came from.

As kubeasz lays them out: `cfssl gencert -ca=ca.pem -ca-key=ca-key.pem -config=ca-config.json -profile=kubernetes
admin-csr.json` makes the administrator's certificate anew. Once written they are the operator's: never overwritten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tiphys.base.user import MASTERS
from tiphys.pki.files import write_atomically

EXPIRY = "438000h"
_CLIENT = ["signing", "key encipherment", "client auth"]
_BOTH = ["signing", "key encipherment", "server auth", "client auth"]
CONFIG = {
    "signing": {
        "default": {"expiry": EXPIRY},
        "profiles": {
            "kubernetes": {"usages": _BOTH, "expiry": EXPIRY},
            "kcfg": {"usages": _CLIENT, "expiry": EXPIRY},
        },
    }
}


def ensure(directory: Path, names: Mapping[str, str], hosts: Sequence[str]) -> None:
    """Write what is missing. `names` are the common names of `ca`, `apiserver` and `admin`. Raises OSError."""
    files: dict[str, Any] = {
        "ca-config.json": CONFIG,
        "ca-csr.json": {**_request(names["ca"]), "ca": {"expiry": "876000h"}},
        "apiserver-csr.json": _request(names["apiserver"], hosts),
        "admin-csr.json": _request(names["admin"], names=[{"O": MASTERS}]),
    }
    for name, content in files.items():
        path = directory / name
        if not path.exists():
            write_atomically(path, json.dumps(content, indent=2).encode() + b"\n", durable=False)


def _request(
    common_name: str, hosts: Sequence[str] = (), names: Sequence[Mapping[str, str]] = ()
) -> dict[str, object]:
    key = {"algo": "ecdsa", "size": 256}
    return {"CN": common_name, "hosts": list(hosts), "key": key, "names": list(names)}
