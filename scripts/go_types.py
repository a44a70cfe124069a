#!/usr/bin/env python3
"""Regenerate src/tiphys/schema/go_types.json from Kubernetes' Go sources.

    scripts/go_types.py SOURCE [SOURCE ...]

Each SOURCE is a checkout of kubernetes/kubernetes, kubernetes/api or kubernetes/apimachinery, oldest first: what a
later one declares wins. The file keeps, per definition and field, the declaration (`*int32`, `v1.PullPolicy`, a `!`
at the end when the field has no omitempty) wherever it is not what `go_type.default_declaration` would say.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tiphys.schema.definitions import SUPPORTED_MINORS, Definitions
from tiphys.schema.go_type import default_declaration

OUTPUT = Path(__file__).parent.parent / "src/tiphys/schema/go_types.json"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
CORE = "io.k8s.api.core.v1"
LAYOUTS = (
    ("staging/src/k8s.io/api/*/v*/types*.go", "io.k8s.api.{0}.{1}"),
    (
        "staging/src/k8s.io/apiextensions-apiserver/pkg/apis/*/v1/types*.go",
        "io.k8s.apiextensions-apiserver.pkg.apis.{0}.{1}",
    ),
    ("staging/src/k8s.io/kube-aggregator/pkg/apis/*/v1/types*.go", "io.k8s.kube-aggregator.pkg.apis.{0}.{1}"),
    ("staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go", META),
    ("*/v*/types*.go", "io.k8s.api.{0}.{1}"),
    ("pkg/apis/meta/v1/types.go", META),
)
STRUCT = re.compile(r"^type (\w+) struct \{\n(.*?)^\}", re.S | re.M)
FIELD = re.compile(r"^\s*(\w[\w.]*|\*\w[\w.]*)(?:\s+([^\s`]+))?\s+`([^`]*)`")
TAG = re.compile(r'json:"([^"]*)"')
PLAIN = {"string", "bool", "int32", "int64", "float64", "int"}

Fields = list[tuple[str, str, bool, bool]]
"""(JSON name, Go type, inlined, omitempty)."""


def fields_of(body: str) -> Iterator[tuple[str, str, bool, bool]]:
    for line in body.splitlines():
        found = FIELD.match(line)
        tag = TAG.search(found[3]) if found and not line.lstrip().startswith("//") else None
        if found and tag:
            name, *options = tag[1].split(",")
            yield name, found[2] or found[1], "inline" in options or not name, "omitempty" in options


def structs_of(sources: list[Path]) -> dict[str, Fields]:
    structs: dict[str, Fields] = {}
    for source in sources:
        for pattern, package in LAYOUTS:
            for file in sorted(source.glob(pattern)):
                name = package.format(file.parent.parent.name, file.parent.name)
                text = re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.S)
                structs.update((f"{name}.{found[1]}", list(fields_of(found[2]))) for found in STRUCT.finditer(text))
    return structs


def spelled(written: str, package: str) -> str:
    """The type as reflect prints it: with the last element of its package's path."""
    if written.startswith(("[]", "*")):
        mark = "*" if written[0] == "*" else "[]"
        return mark + spelled(written[len(mark) :], package)
    if written.startswith("map["):
        key, value = written[4:].split("]", 1)
        return f"map[{spelled(key, package)}]{spelled(value, package)}"
    if written == "byte":
        return "uint8"
    if written in PLAIN:
        return written
    alias, dot, name = written.rpartition(".")
    if not dot:
        return f"{package.rsplit('.', 1)[1]}.{written}"
    version = re.search(r"v\d+(?:(?:alpha|beta)\d+)?$", alias)
    return f"{version[0] if version else alias}.{name}"


def flattened(structs: dict[str, Fields], name: str) -> Iterator[tuple[str, str, bool]]:
    package = name.rsplit(".", 1)[0]
    for field, written, inlined, omitempty in structs.get(name, ()):
        alias, _, bare = written.lstrip("*").rpartition(".")
        if inlined:
            home = package if not alias else META if alias == "metav1" else CORE
            yield from flattened(structs, f"{home}.{bare}")
        elif field != "-":
            yield field, spelled(written, package), omitempty


def schemas() -> dict[str, dict[str, Any]]:
    """Every definition of every version, the fields of all versions together."""
    merged: dict[str, dict[str, Any]] = {}
    for minor in SUPPORTED_MINORS:
        for name, schema in Definitions.load(minor).raw.items():
            properties = {**merged.get(name, {}).get("properties", {}), **schema.get("properties", {})}
            merged[name] = {**schema, "properties": properties}
    return merged


def main(sources: list[Path]) -> None:
    structs = structs_of(sources)
    table: dict[str, dict[str, str]] = {}
    for name, schema in sorted(schemas().items()):
        for field, written, omitempty in flattened(structs, name):
            if field in schema["properties"]:
                said = written + ("" if omitempty else "!")
                if said != default_declaration(
                    field, schema["properties"][field], field in schema.get("required", ())
                ):
                    table.setdefault(name, {})[field] = said
    lines = [f"{json.dumps(name)}: {json.dumps(table[name], sort_keys=True)}" for name in sorted(table)]
    OUTPUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
