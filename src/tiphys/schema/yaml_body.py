"""YAML bodies, turned into JSON text as sigs.k8s.io/yaml does, so that the same checks follow.

libyaml's events are read one at a time with a stack of our own, so neither nesting nor aliases can hurt: aliases are
expanded at their cost, and a document that grows tenfold by them is refused as upstream refuses it.
"""

from __future__ import annotations

import math
from typing import Any

import orjson
import yaml

from tiphys.schema.json_syntax import MAX_DEPTH

_CHEAP = 100_000
"""Values up to which aliases may expand as they like (yaml.v2 decode.go allowedAliasRatio is about as generous)."""
MAX_VALUES = 400_000
"""Values written out. Ours: each takes some five microseconds, and an object that is served has fewer."""
_LONGEST_NUMBER = 309
"""Characters; what has more overflows a float64, and go-yaml leaves it a string."""
_RESOLVER: Any = yaml.resolver.Resolver()
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_PREFIX = "tag:yaml.org,2002:"
_MERGE = object()


class YAMLError(Exception):
    """The body is not YAML we take; the text is for the client."""


def to_json(body: bytes) -> tuple[bytes, list[str]]:
    """JSON text of the first document in a YAML body, and what a strict reader finds in it (keys given twice).

    Raises YAMLError.
    """
    reader = _Reader()
    try:
        value = reader.read(body)
        text = orjson.dumps(value)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YAMLError(f"error converting YAML to JSON: yaml: {_place(error)}") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise YAMLError(f"error converting YAML to JSON: yaml: {error}") from error
    duplicates = reader.duplicates
    return text, ["yaml: unmarshal errors:\n" + "\n".join(duplicates)] if duplicates else []


def _place(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)


class _Reader:
    """Builds a value from events. A frame is [container, pending key or None, anchor, line of the key]."""

    def __init__(self) -> None:
        self.duplicates: list[str] = []
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._frames: list[list[Any]] = []
        self._result: Any = None
        self._plain = 0
        self._expanded = 0

    def read(self, body: bytes) -> Any:
        for event in yaml.parse(body.decode(), Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentEndEvent):
                break
            self._take(event)
        return self._result

    def _take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            self._count(1, 1)
            self._finish(_scalar(event), event.anchor, event, 1)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open({} if isinstance(event, yaml.MappingStartEvent) else [], event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            container, _, anchor, start = self._frames.pop()
            self._finish(container, anchor, event, self._expanded - start)

    def _open(self, container: Any, event: Any) -> None:
        self._count(1, 1)
        if len(self._frames) >= MAX_DEPTH:
            raise ValueError("exceeded max depth")
        if self._frames and self._expects_key():
            raise ValueError(f"line {event.start_mark.line + 1}: a key must be a scalar")
        self._frames.append([container, None, event.anchor, self._expanded - 1])

    def _expects_key(self) -> bool:
        return isinstance(self._frames[-1][0], dict) and self._frames[-1][1] is None

    def _alias(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self._anchors:
            raise ValueError(f"unknown anchor '{event.anchor}' referenced")
        value, size = self._anchors[event.anchor]
        self._count(1, size)
        self._finish(value, None, event, size)

    def _count(self, plain: int, expanded: int) -> None:
        self._plain += plain
        self._expanded += expanded
        if self._plain > MAX_VALUES:
            raise ValueError(f"document has more than {MAX_VALUES} values")
        if self._expanded > max(_CHEAP, 10 * self._plain):
            raise ValueError("document contains excessive aliasing")

    def _finish(self, value: Any, anchor: str | None, event: Any, size: int) -> None:
        if anchor:
            self._anchors[anchor] = (value, size)
        if not self._frames:
            self._result = value
            return
        frame = self._frames[-1]
        if isinstance(frame[0], list):
            frame[0].append(None if value is _MERGE else value)
        elif frame[1] is None:
            frame[1] = (_key(value), event.start_mark.line + 1)
        else:
            self._set(frame, value)

    def _set(self, frame: list[Any], value: Any) -> None:
        (key, line), container = frame[1], frame[0]
        frame[1] = None
        if key is _MERGE:
            for source in reversed(value if isinstance(value, list) else [value]):
                if not isinstance(source, dict):
                    raise ValueError("map merge requires map or sequence of maps as the value")
                for name in source:
                    container.setdefault(name, source[name])
            return
        if key in container:
            self.duplicates.append(f"  line {line}: key {orjson.dumps(key).decode()} already set in map")
        container[key] = value


def _scalar(event: yaml.ScalarEvent) -> Any:
    tag = event.tag
    if tag is None or tag == "!":
        tag = (
            _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit) if event.implicit[0] else _PREFIX + "str"
        )
    kind = tag.removeprefix(_PREFIX)
    if kind == "merge":
        return _MERGE
    if kind == "null":
        return None
    if kind not in ("int", "float", "bool"):
        return event.value
    if ":" in event.value or len(event.value) > _LONGEST_NUMBER:
        return event.value  # go-yaml knows no base 60: `80:80` is a string
    node = yaml.ScalarNode(tag, event.value)
    found = getattr(_CONSTRUCTOR, f"construct_yaml_{kind}")(node)
    if kind == "int" and not -(1 << 63) <= found < 1 << 64:
        return float(found)
    if kind == "float" and not math.isfinite(found):
        raise ValueError(f"json: unsupported value: {event.value}")
    return found


def _key(value: Any) -> Any:
    """Keys of a JSON object are strings; what YAML read as another scalar is written as one."""
    if value is _MERGE or isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, (dict, list)):
        raise ValueError("a key must be a scalar")
    return orjson.dumps(value).decode()
