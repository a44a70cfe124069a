"""Random documents of a definition, as far as types go: what each field may hold, and no rule of any kind."""

from __future__ import annotations

import base64
import random
from typing import Any

from tiphys.base.document import Document
from tiphys.schema.definitions import REF, Definitions

_TEXT = ("", "a", "web-0", "ünïcode ✓", "x" * 200, "a\nb", "\x00")
_SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": ("0", "1", "500m", "64Mi", "1500m", "3e3", "-2Gi"),
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": (0, -1, 80, "", "http", "50%"),
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": ("2022-06-07T01:23:10Z", "1969-12-31T23:59:59Z"),
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": ("2022-06-07T01:23:10.123456Z", "1969-12-31T23:59:59.000001Z"),
    "io.k8s.apimachinery.pkg.runtime.RawExtension": ({"a": [1, None, "ü"]}, {}, "text"),
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": ({"f:metadata": {"f:labels": {".": {}}}},),
}
_APIEXTENSIONS = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1."
_DEEPEST = 7


class RandomDocuments:
    """Documents of one version's definitions, the same for the same seed."""

    def __init__(self, definitions: Definitions, seed: int) -> None:
        self._raw = definitions.raw
        self._random = random.Random(seed)

    def document(self, definition: str, depth: int = 0) -> Document:
        schema = self._raw[definition]
        required = schema.get("required", ())
        unsaid = ("apiVersion", "kind") if "x-kubernetes-group-version-kind" in schema else ()  # TypeMeta is not sent
        share = 0.7 if depth < 3 else 0.3
        return {
            name: self.value(found, depth + 1)
            for name, found in schema["properties"].items()
            if name not in unsaid and (name in required or (depth < _DEEPEST and self._random.random() < share))
        }

    def value(self, schema: Document, depth: int) -> Any:
        if "$ref" in schema:
            return self._named(schema["$ref"].removeprefix(REF), depth)
        kind = schema.get("type")
        kind = kind[0] if isinstance(kind, list) else kind
        many = 1 if depth > _DEEPEST else self._random.randint(1, 2)  # protobuf cannot tell an empty list from none
        if kind == "array":
            return [self.value(schema["items"], depth + 1) for _ in range(many)]
        if kind == "object":
            inner = schema.get("additionalProperties") or {"type": "string"}
            return {f"key-{index}": self.value(inner, depth + 1) for index in range(many)}
        return self._plain(kind, schema.get("format", ""))

    def _named(self, definition: str, depth: int) -> Any:
        if definition in _SPECIAL:
            return self._random.choice(_SPECIAL[definition])
        if definition.startswith(_APIEXTENSIONS):
            schema = f"{_APIEXTENSIONS}JSONSchemaProps"
            match definition.removeprefix(_APIEXTENSIONS):
                case "JSON":
                    return self._random.choice((1, "a", {"b": []}, [1.5]))
                case "JSONSchemaPropsOrBool":
                    return self._random.choice((True, self.document(schema, depth + 3)))
                case "JSONSchemaPropsOrArray":
                    return self.document(schema, depth + 3)
                case "JSONSchemaPropsOrStringArray":
                    return self._random.choice((["a", "b"], self.document(schema, depth + 3)))
        return self.document(definition, depth) if "properties" in self._raw[definition] else {}

    def _plain(self, kind: str | None, format: str) -> Any:
        choose = self._random.choice
        if kind == "boolean":
            return choose((True, False))
        if kind == "integer":
            return choose((0, 1, -1, 2**31 - 1, -(2**31)) + (() if format == "int32" else (2**63 - 1, -(2**63))))
        if kind == "number":
            return choose((0, 1.5, -2, 1e10))
        if format == "byte":
            return base64.b64encode(choose((b"", b"a", b"\x00\xff" * 50))).decode()
        if format == "date-time":
            return "2022-06-07T01:23:10Z"
        return choose(_TEXT)
