"""What `kubectl get` prints: small functions that make one table cell each.

A cell takes the document and the current time in seconds and gives a JSON value. Upstream's printers live in
`pkg/printers/internalversion/printers.go`; their conventions (`<none>`, `<unknown>`, ages as words) are kept
here once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tiphys.api.kind import Column
from tiphys.base.clock import parse_rfc3339
from tiphys.base.document import Document
from tiphys.base.duration import human_duration

Cell = Callable[[Document, float], Any]

NONE = "<none>"
UNKNOWN = "<unknown>"


def at(document: Any, path: str) -> Any:
    """The value at a dotted path such as `spec.nodeName`, or None where any part is missing."""
    for part in path.split("."):
        if not isinstance(document, dict):
            return None
        document = document.get(part)
    return document


def text(path: str, empty: str = "") -> Cell:
    """The string at `path`, or `empty` where it is missing or empty."""
    return lambda document, now: at(document, path) or empty


def integer(path: str, missing: int = 0) -> Cell:
    """The number at `path`; a missing one prints as zero, as Go's."""

    def cell(document: Document, now: float) -> int:
        found = at(document, path)
        return missing if found is None else int(found)

    return cell


def boolean(path: str) -> Cell:
    """`true` or `false`; missing is false."""
    return lambda document, now: bool(at(document, path))


def count(path: str) -> Cell:
    """How many entries the list or map at `path` has."""
    return lambda document, now: len(at(document, path) or ())


def joined(path: str, separator: str = ",", empty: str = NONE) -> Cell:
    """The list at `path` joined into one string."""
    return lambda document, now: separator.join(str(item) for item in at(document, path) or ()) or empty


def elapsed(timestamp: str | None, now: float) -> str:
    """How long ago an RFC 3339 time was, in words; `<unknown>` without one (translateTimestampSince)."""
    return human_duration(now - parse_rfc3339(timestamp)) if timestamp else UNKNOWN


def since(path: str) -> Cell:
    """The time elapsed since the timestamp at `path`."""
    return lambda document, now: elapsed(at(document, path), now)


def format_labels(labels: Mapping[str, str] | None) -> str:
    """`a=1,b=2` sorted by key, `<none>` when empty (labels.FormatLabels)."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def labels(path: str) -> Cell:
    """The map at `path` as labels."""
    return lambda document, now: format_labels(at(document, path))


def format_label_selector(selector: Document | None) -> str:
    """A LabelSelector in the query syntax, `<none>` when it is empty (metav1.FormatLabelSelector)."""
    parts = [(key, f"{key}={value}") for key, value in ((selector or {}).get("matchLabels") or {}).items()]
    for requirement in (selector or {}).get("matchExpressions") or ():
        parts.append((requirement.get("key") or "", _requirement(requirement)))
    return ",".join(words for _, words in sorted(parts, key=lambda part: part[0])) or NONE


def _requirement(requirement: Document) -> str:
    key, operator = requirement.get("key") or "", requirement.get("operator")
    if operator == "Exists":
        return str(key)
    if operator == "DoesNotExist":
        return f"!{key}"
    values = ",".join(sorted(requirement.get("values") or ()))
    return f"{key} {'in' if operator == 'In' else 'notin'} ({values})"


def label_selector(path: str) -> Cell:
    """The LabelSelector at `path` in the query syntax."""
    return lambda document, now: format_label_selector(at(document, path))


def container_column(field: str, path: str) -> Cell:
    """One field (`name`, `image`) of every container at `path`, joined by commas (layoutContainerCells)."""

    def cell(document: Document, now: float) -> str:
        containers: Sequence[Document] = at(document, path) or ()
        return ",".join(container.get(field) or "" for container in containers)

    return cell


AGE = Column(
    "Age",
    since("metadata.creationTimestamp"),
    description=(
        "CreationTimestamp is a timestamp representing the server time when this object was created. It is not "
        "guaranteed to be set in happens-before order across separate operations. Clients may not set this value. "
        "It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. "
        "More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
    ),
)
"""The last ordinary column of nearly every kind."""

CREATED_AT = Column("Created At", lambda document, now: at(document, "metadata.creationTimestamp") or "")
"""Of the few kinds that print the time itself (roles, limit ranges, CRDs)."""


def container_columns(template: str = "spec.template") -> tuple[Column, Column]:
    """Containers and Images, shown wide, of every kind with a pod template."""
    path = f"{template}.spec.containers"
    return (
        Column(
            "Containers",
            container_column("name", path),
            description="Names of each container in the template.",
            priority=1,
        ),
        Column(
            "Images",
            container_column("image", path),
            description="Images referenced by each container in the template.",
            priority=1,
        ),
    )


def selector_column(cell: Cell) -> Column:
    """The wide Selector column of a workload kind."""
    return Column("Selector", cell, priority=1)
