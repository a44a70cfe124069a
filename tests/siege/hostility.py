"""What hostile clients send: bodies, queries and headers with something wrong in them, or with too much of it."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import orjson
import yaml

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 65536, 2**31, -(2**31) - 1, 2**63 - 1, 2**63, 0.5, 1e300, "", " ", "a", "A_b",
    "-", "..", "a" * 64, "a" * 254, "é", "\x00", "\u202e", "\U0001f600", "%s%n", "../../etc/passwd", "a/b/c",
    "1", "-1", "0.5", "99999999999999999999Ei", "1e400", "1m1", ".", "NaN", "300%", "-5%", "1.2.3.4", "::",
    "10.0.0.0/33", "None", "2026-01-02T03:04:05Z", "0001-01-01T00:00:00Z", "2026-13-45T99:99:99Z",
    "*/0 * * * *", "[", "((((", "a=b", "!", "\n", "{}", [], {}, [None], [[]], [{}], {"": None},
    {"a": {"a": {"a": 1}}}, ["a", "a"], [1, "a"], [0] * 200,
)  # fmt: skip
TEXTS = (
    b'"\\ud800"',
    b"1e999",
    b"-0",
    b"NaN",
    b"1.",
    b'"\xff"',
    b"1" * 400,
    b"[" * 300,
    b'{"a":1,"a":2}',
    b"tru",
    b"",
)
"""JSON text that no JSON library writes, put in the place of a value."""
_MARK = "\ue000here"
_NAMES = (
    "",
    "a",
    "name",
    "metadata",
    "spec",
    "$patch",
    "$retainKeys",
    "$setElementOrder/containers",
    "é",
    "a" * 300,
)
_QUERY = (
    "dryRun=All", "dryRun=Some", "dryRun=All&dryRun=All", "fieldValidation=Strict", "fieldValidation=Warn",
    "fieldValidation=x", "fieldManager=" + "a" * 200, "fieldManager=%00", "pretty=x", "force=true",
    "force=maybe", "%zz=%", "a;b", "&&&", "=", "propagationPolicy=Foreground", "propagationPolicy=x",
    "gracePeriodSeconds=-1", "gracePeriodSeconds=99999999999999999999", "orphanDependents=true",
    "orphanDependents=%ff",
)  # fmt: skip
_READING = (
    "limit=1", "limit=-1", "limit=9223372036854775808", "limit=x", "continue=x", "continue=e30", "continue=%00",
    "continue=eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiYVx1MDAwMCJ9", "resourceVersion=0",
    "resourceVersion=-1", "resourceVersion=x", "resourceVersion=99999999999",
    "resourceVersion=18446744073709551616", "resourceVersion=1&resourceVersionMatch=Exact",
    "resourceVersionMatch=x", "resourceVersionMatch=NotOlderThan", "labelSelector=a%3Db",
    "labelSelector=a+in+(", "labelSelector=%21%21", "labelSelector=a>b", "labelSelector=" + "a," * 500,
    "labelSelector=%C3%A9%3D%00", "fieldSelector=metadata.name%3Done", "fieldSelector=a.b.c%21%3D1",
    "fieldSelector=%5C", "fieldSelector=" + "a%3Db," * 300, "watch=1&timeoutSeconds=1", "watch=x",
    "watch=true&resourceVersion=99999999999",
    "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=1",
    "watch=1&sendInitialEvents=x", "timeoutSeconds=x", "timeoutSeconds=-1", "includeObject=x",
    "includeObject=Object", "allowWatchBookmarks=x",
)  # fmt: skip
_ACCEPT = (
    "*/*", "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "x", ",;=",
    "application/json;q=x", "application/json;as=Table;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
    "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io", "application/json;as=Table;v=v9;g=x",
    "application/json;stream=watch", "application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io", "\xff",
    "",
)  # fmt: skip
_CONTENT = (
    "application/json", "application/yaml", "application/vnd.kubernetes.protobuf", "text/html", ";", "a" * 2000,
    "", "application/json;charset=x", "application/apply-patch+yaml",
)  # fmt: skip
PATCHES = ("application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json")


def headers(chance: random.Random, content_type: str = "application/json") -> dict[str, str]:
    """Mostly ordinary ones."""
    found = {"content-type": content_type if chance.random() < 0.95 else chance.choice(_CONTENT)}
    if chance.random() < 0.3:
        found["accept"] = chance.choice(_ACCEPT)
    return found


def query(chance: random.Random, *, reading: bool = False) -> str:
    known = _READING + _QUERY if reading else _QUERY
    return "&".join(chance.choice(known) for _ in range(chance.choice((0, 0, 1, 1, 2, 3))))


def spoilt(document: Any, chance: random.Random, times: int = 1) -> bytes:
    """The document as JSON text, with that many of its places changed."""
    document = orjson.loads(orjson.dumps(document))
    for _ in range(times):
        _spoil(document, chance)
    text = json.dumps(document, ensure_ascii=False).encode()  # orjson nests less deep
    mark = f'"{_MARK}"'.encode()
    while mark in text:
        text = text.replace(mark, chance.choice(TEXTS), 1)
    return text


def _spoil(document: Any, chance: random.Random) -> None:
    parent, key = chance.choice(list(_places(document)))
    how = chance.random()
    if how < 0.6:
        parent[key] = copy.deepcopy(chance.choice(VALUES))
    elif how < 0.68:
        parent[key] = _MARK
    elif how < 0.76:
        del parent[key]
    elif how < 0.84:
        parent[key] = _nested(parent[key], chance.choice((2, 20, 200, 250)))
    elif how < 0.92 and isinstance(parent, dict):
        parent[chance.choice(_NAMES)] = copy.deepcopy(chance.choice(VALUES))
    elif isinstance(parent, list):
        parent += [parent[key]] * chance.choice((1, 50))
    else:
        parent[key] = [parent[key]]


def _places(document: Any) -> Any:
    """(container, key) of everything in a document."""
    waiting = [document]
    while waiting:
        container = waiting.pop()
        for key, value in container.items() if isinstance(container, dict) else enumerate(container):
            yield container, key
            if isinstance(value, (dict, list)):
                waiting.append(value)


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth // 2):
        value = [{"a": value}]
    return value


def broken(text: bytes, chance: random.Random) -> bytes:
    """Text with its bytes disturbed."""
    at = chance.randrange(len(text) + 1)
    return chance.choice(
        (
            text[:at],
            text[:at] + bytes([chance.randrange(256)]) + text[at:],
            text[:at] + b"\xff\xfe" + text[at + 2 :],
            b"\xef\xbb\xbf" + text,
            text + text,
            text.replace(b'"', b"'"),
            b" " * 5000 + text,
            text[:at] + text[:200] + text[at:],
            chance.randbytes(40),
        )
    )


def as_yaml(document: Any, chance: random.Random) -> bytes:
    """YAML of it, now and then with what only YAML has."""
    text = yaml.safe_dump(document).encode()
    extra = (
        b"",
        b"a: &a [*a]\n",
        b"? [a]\n: b\n",
        b"<<: {a: b}\n",
        b"a: !!python/object:os.system x\n",
        b"--- \n",
        b"%YAML 9\n",
    )
    return text + chance.choice(extra)


def json_patch(document: Any, chance: random.Random) -> bytes:
    """Operations at places that are there and at others."""
    paths = [
        "",
        "/",
        "/a/b",
        "/metadata/labels/x",
        "/spec/-",
        "/spec/containers/-",
        "/metadata/name",
        "/~2",
        "/spec/0",
    ]
    paths += ["/" + "/".join(path) for path in _paths(document)]
    operations: list[Any] = []
    for _ in range(chance.choice((1, 1, 2, 5))):
        kind = chance.choice(("add", "remove", "replace", "move", "copy", "test", "x"))
        operation = {"op": kind, "path": chance.choice(paths), "value": copy.deepcopy(chance.choice(VALUES))}
        if kind in ("move", "copy"):
            operation["from"] = chance.choice(paths)
        operations.append(operation)
    if chance.random() < 0.2:
        return spoilt(operations, chance)
    return orjson.dumps(operations)


def _paths(document: Any, path: tuple[str, ...] = ()) -> Any:
    items: Any = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in items:
        here = (*path, str(key).replace("~", "~0").replace("/", "~1"))
        yield here
        if isinstance(value, (dict, list)):
            yield from _paths(value, here)
