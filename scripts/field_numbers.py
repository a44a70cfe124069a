#!/usr/bin/env python3
"""Regenerate src/tiphys/wire/field_numbers.json from Kubernetes' published .proto files.

    scripts/field_numbers.py SOURCE [SOURCE ...]

Each SOURCE is a folder searched for `generated.proto`: a checkout of kubernetes/kubernetes, kubernetes/api,
kubernetes/apimachinery. Oldest first: what a later one declares wins. The form of the file is told in
`src/tiphys/wire/field_number.py`. Messages and fields that no OpenAPI definition of any supported version has are
left out; definitions for which no source has a field are listed at the end.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tiphys.schema.definitions import SUPPORTED_MINORS, Definitions
from tiphys.schema.go_type import declaration
from tiphys.wire.field_number import default_go_name

OUTPUT = Path(__file__).parent.parent / "src/tiphys/wire/field_numbers.json"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intOrString",
    f"{META}.Time": "time",
    f"{META}.MicroTime": "microTime",
    f"{META}.Duration": "duration",
    f"{META}.FieldsV1": "raw",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw",
    f"{APIEXTENSIONS}.JSON": "raw",
    f"{APIEXTENSIONS}.JSONSchemaPropsOrArray": "schemaOrArray",
    f"{APIEXTENSIONS}.JSONSchemaPropsOrBool": "schemaOrBool",
    f"{APIEXTENSIONS}.JSONSchemaPropsOrStringArray": "schemaOrStrings",
}
WITHOUT_DEFINITION = {
    f"{META}.PartialObjectMetadata": ("metadata",),
    f"{META}.PartialObjectMetadataList": ("metadata", "items"),
}
"""Objects that are sent and have no OpenAPI definition."""
RENAMED = {"ref": "$ref", "schema": "$schema"}
"""JSONSchemaProps spells two fields otherwise in JSON, and `x-kubernetes-…` in camel case in the .proto."""
LIST_TYPES = ("ExtraValue", "AttestationValue", "Verbs")
"""Go's named slices: messages whose only field is `items`, in JSON just an array."""
PLAIN = ("string", "bool", "int32", "int64", "double", "bytes", "intOrString")
MESSAGE = re.compile(r"^message (\w+) \{\n(.*?)^\}", re.S | re.M)
FIELD = re.compile(r"^  (optional|repeated|map<string, *([\w.]+)>) *([\w.]*?) ?(\w+) = (\d+);", re.M)
UNMARSHAL = re.compile(r"^func \(m \*(\w+)\) Unmarshal\(.*?^\}", re.S | re.M)
CASE = re.compile(r"^\t\tcase (\d+):\n\t+if wireType .*?for field (\w+)", re.S | re.M)


@dataclass
class Field:
    number: int
    label: str
    type: str
    go_name: str


@dataclass
class Message:
    fields: dict[str, Field] = field(default_factory=dict)


def messages_of(sources: list[Path]) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for source in sources:
        for file in sorted(source.rglob("generated.proto")):
            if "vendor" in file.parts or "testapigroup" in file.parts:
                continue
            for name, message in read_file(file):
                found.setdefault(name, Message()).fields.update(message.fields)
    return found


def read_file(file: Path) -> Iterator[tuple[str, Message]]:
    text = re.sub(r"^ *//.*\n", "", file.read_text(), flags=re.M)
    package = re.search(r"^package ([\w.]+);", text, re.M)
    assert package
    names = go_names(file.with_suffix(".pb.go"))
    for found in MESSAGE.finditer(text):
        message = Message()
        for label, value, kind, name, number in FIELD.findall(found[2]):
            kind = value or kind
            where = "map" if value else label
            go_name = names.get((found[1], int(number)), "")
            message.fields[name] = Field(int(number), where, definition_name(kind, package[1]), go_name)
        yield definition_name(found[1], package[1]), message


def go_names(file: Path) -> dict[tuple[str, int], str]:
    """The names that Go's decoder gives the fields in its complaints, by message and number."""
    text = file.read_text() if file.exists() else ""
    return {
        (message[1], int(number)): name
        for message in UNMARSHAL.finditer(text)
        for number, name in CASE.findall(message[0])
    }


def definition_name(kind: str, package: str) -> str:
    if kind in ("string", "bool", "int32", "int64", "double", "bytes"):
        return kind
    full = kind.lstrip(".") if "." in kind else f"{package}.{kind}"
    return "io.k8s." + full.removeprefix("k8s.io.").replace("_", "-")


def schemas() -> dict[str, dict[str, Any]]:
    """Every definition of every version, the fields of all versions together."""
    merged: dict[str, dict[str, Any]] = {}
    for minor in SUPPORTED_MINORS:
        for name, schema in Definitions.load(minor).raw.items():
            properties = {**merged.get(name, {}).get("properties", {}), **schema.get("properties", {})}
            merged[name] = {**schema, "properties": properties}
    for name, fields in WITHOUT_DEFINITION.items():
        merged[name] = {"properties": {field: {} for field in fields}}
    return merged


def tabulated(
    messages: dict[str, Message], schema: dict[str, Any], definition: str, name: str, path: str = ""
) -> Iterator[tuple[str, str]]:
    """(JSON name, entry) of each field of the message `name` as far as the definition has it."""
    properties = schema["properties"]
    by_letters = {re.sub("[^a-z0-9]", "", known.lower()): known for known in properties}
    for spelled, found in messages[name].fields.items():
        in_json = spelled if spelled in properties else RENAMED.get(spelled) or by_letters.get(spelled.lower(), "")
        at = f"{path}{found.number}"
        if in_json in properties:
            kind = kind_of(messages, found, name)
            parts = [at, ("*" if is_kept(definition, in_json, schema, kind) else "") + kind]
            if found.go_name not in ("", default_go_name(in_json, kind)):
                parts.append(found.go_name)
            yield in_json, " ".join(parts)
        elif found.label == "optional" and found.type in messages:
            yield from tabulated(messages, schema, definition, found.type, f"{at}.")


def is_kept(definition: str, name: str, schema: dict[str, Any], kind: str) -> bool:
    """Whether Go writes the field to JSON though it is empty: a pointer, or a plain value without omitempty."""
    if definition in WITHOUT_DEFINITION:
        return False
    found = declaration(definition, name, schema["properties"][name], name in schema.get("required", ()))
    return found.pointer or (found.always and kind in PLAIN)


def kind_of(messages: dict[str, Message], found: Field, owner: str) -> str:
    package = owner.rsplit(".", 1)[0] + "."
    name = SPECIAL.get(found.type)
    if name is None and found.type in messages:
        inner = messages[found.type].fields
        if list(inner) == ["items"] and found.type.rpartition(".")[2] in LIST_TYPES:
            name = "items[]" + inner["items"].type
        else:
            name = found.type.replace(package, ":", 1).replace(f"{META}.", "@", 1)
    return {"optional": "", "repeated": "[]", "map": "map:"}[found.label] + (name or found.type)


def main(sources: list[Path]) -> None:
    messages = messages_of(sources)
    table: dict[str, dict[str, str]] = {}
    missing: list[str] = []
    for name, schema in sorted(schemas().items()):
        if name in SPECIAL or not schema["properties"]:
            continue
        if name in messages:
            table[name] = dict(tabulated(messages, schema, name, name))
        if absent := set(schema["properties"]) - set(table.get(name, ())) - {"apiVersion", "kind"}:
            missing.append(f"{name}: {', '.join(sorted(absent))}")
    lines = [f"{json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table)]
    OUTPUT.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print("\n".join(missing))


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
