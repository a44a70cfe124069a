"""Stages: what happens to a pod on a simulated node, when, and what it is then. Data, read from YAML.

    name: run
    when: {phase: [Pending], deleting: false}
    after: 0
    then: {containers: running}

`when` names what must hold; a missing word holds always:
  phase: the pod's phase is one of these;    deleting: whether deletion was asked for;
  owner: the kind of the controlling owner is one of these;
  annotation: the pod carries this annotation.
`after` is the delay in seconds from the moment it came to hold, or the name of an annotation that gives it.
`then` is one of: containers: running; exit: the exit code, or the annotation that gives it (the phase follows
from it and from the pod's restart policy); delete: true.
The first stage in the order of the files' names that holds is the one that happens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from tiphys.base import yaml_text
from tiphys.base.document import Document, owner_reference


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage; the fields are described in the module's docstring."""

    name: str
    phases: frozenset[str] | None
    deleting: bool | None
    owners: frozenset[str] | None
    annotation: str | None
    after: float | str
    running: bool
    exit: int | str | None
    delete: bool

    def holds(self, pod: Document) -> bool:
        meta = pod["metadata"]
        if self.deleting is not None and self.deleting != ("deletionTimestamp" in meta):
            return False
        if self.phases is not None and pod.get("status", {}).get("phase") not in self.phases:
            return False
        if self.annotation is not None and self.annotation not in meta.get("annotations", ()):
            return False
        return self.owners is None or (owner_reference(pod) or {}).get("kind") in self.owners

    def delay(self, pod: Document) -> float:
        """Seconds to wait. An annotation that is no number counts as 0."""
        return number(self.after, pod, 0.0)

    def exit_code(self, pod: Document) -> int | None:
        return None if self.exit is None else int(number(self.exit, pod, 1))


def number(value: float | str, pod: Document, default: float) -> float:
    """A number given outright, or by the annotation of that name."""
    if not isinstance(value, str):
        return float(value)
    try:
        return float(pod["metadata"].get("annotations", {}).get(value, default))
    except ValueError:
        return default


def parse_stage(document: Any) -> Stage:
    """Raises ValueError for a stage with words that mean nothing, so that a typing error is not passed over."""
    if not isinstance(document, dict):
        raise ValueError("a stage must be a mapping")
    when, then = document.get("when") or {}, document.get("then") or {}
    for part, known in (
        (document, {"name", "when", "after", "then"}),
        (when, {"phase", "deleting", "owner", "annotation"}),
        (then, {"containers", "exit", "delete"}),
    ):
        if unknown := sorted(set(part) - known):
            raise ValueError(f"stage {document.get('name')!r}: unknown field {unknown[0]!r}")
    if len(then) != 1 or then.get("containers", "running") != "running":
        raise ValueError(f"stage {document.get('name')!r}: `then` must be one of containers: running, exit, delete")
    return Stage(
        name=str(document.get("name", "")),
        phases=frozenset(when["phase"]) if "phase" in when else None,
        deleting=when.get("deleting"),
        owners=frozenset(when["owner"]) if "owner" in when else None,
        annotation=when.get("annotation"),
        after=document.get("after", 0),
        running="containers" in then,
        exit=then.get("exit"),
        delete=bool(then.get("delete")),
    )


def built_in() -> list[Stage]:
    """The stages in `stages/`, in the order of their file names."""
    folder = resources.files("tiphys.node.simulated") / "stages"
    files = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".yaml")), key=lambda e: e.name)
    return [parse_stage(yaml_text.load(entry.read_text())) for entry in files]


def first(stages: Sequence[Stage], pod: Document) -> Stage | None:
    return next((stage for stage in stages if stage.holds(pod)), None)
