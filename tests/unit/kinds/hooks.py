"""How the tests of kinds call hooks and read what comes of them."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence

from tiphys.api.kind import Context, Kind
from tiphys.base.clock import SystemClock
from tiphys.base.document import Document
from tiphys.base.field_error import FieldError
from tiphys.base.names import RandomIds
from tiphys.base.user import User

ALICE = User("alice", ("dev", "system:authenticated"), "u1", {"team": ("red",)})
Change = Callable[[Document], object]


def context(minor: int = 37, namespace: str = "default") -> Context:
    return Context(SystemClock(), RandomIds(random.Random(1)), ALICE, minor, namespace)


def texts(errors: Sequence[FieldError]) -> list[str]:
    return [str(error) for error in errors]


def defaulted(kind: Kind, document: Document, minor: int = 37) -> Document:
    made = copy.deepcopy(document)
    assert kind.default
    kind.default(made, context(minor))
    return made


def create_errors(kind: Kind, document: Document, minor: int = 37) -> list[str]:
    """What a create says: defaulted, prepared, validated."""
    made, where = copy.deepcopy(document), context(minor)
    if kind.default:
        kind.default(made, where)
    if kind.prepare_create:
        kind.prepare_create(made, where)
    assert kind.validate
    return texts(kind.validate(made, where))


def update_errors(kind: Kind, old: Document, new: Document, minor: int = 37) -> list[str]:
    """What an update from one to the other says."""
    before, after, where = copy.deepcopy(old), copy.deepcopy(new), context(minor)
    for document in (before, after):
        if kind.default:
            kind.default(document, where)
    if kind.prepare_create:
        kind.prepare_create(before, where)
    if kind.prepare_update:
        kind.prepare_update(after, before, where)
    assert kind.validate_update
    return texts(kind.validate_update(after, before, where))


def cells(kind: Kind, document: Document, now: float = 1_767_323_045.0, wide: bool = True) -> dict[str, object]:
    """The table's cells by column; `now` is 2026-01-02T03:04:05Z unless said."""
    return {c.name: c.cell(document, now) for c in kind.columns_at(37) if wide or not c.priority}
