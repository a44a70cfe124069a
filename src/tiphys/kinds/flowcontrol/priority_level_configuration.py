"""PriorityLevelConfiguration: how many requests of a level run at once, and how the others wait.

From upstream's `pkg/apis/flowcontrol/v1/defaults.go`, its conversions and `printPriorityLevelConfiguration`.
"""

from __future__ import annotations

from tiphys.api.kind import STATUS, Column, Context, Kind
from tiphys.base.document import Document
from tiphys.kinds.shapes.columns import AGE, NONE, Cell, at, text
from tiphys.kinds.shapes.part import part

SHARES = 30
_QUEUING = {"handSize": 8, "queues": 64, "queueLengthLimit": 50}
_NEW_NAME, _OLD_NAME = "nominalConcurrencyShares", "assuredConcurrencyShares"


def default(document: Document, context: Context) -> None:
    spec = part(document, "spec")
    part(document, "status")
    for level in (spec.get("limited"), spec.get("exempt")):
        if level is not None and level.get("lendablePercent") is None and context.minor >= 27:
            level["lendablePercent"] = 0
    exempt, limited = spec.get("exempt"), spec.get("limited")
    if exempt is not None and exempt.get(_NEW_NAME) is None:
        exempt[_NEW_NAME] = 0
    if limited is not None:
        _default_limited(limited)


def _default_limited(limited: Document) -> None:
    """Kept under the new name; a stored old shape of 1.25 keeps the old one."""
    name = _OLD_NAME if _OLD_NAME in limited else _NEW_NAME
    if limited.get(name) is None:
        limited[name] = SHARES
    queuing = (limited.get("limitResponse") or {}).get("queuing")
    if queuing is not None:
        for field, value in _QUEUING.items():
            queuing[field] = queuing.get(field) or value


def _renamed(document: Document, before: str, after: str) -> Document:
    spec = document.get("spec") or {}
    limited = spec.get("limited")
    if limited is None or before not in limited:
        return document
    limited = {after if key == before else key: value for key, value in limited.items()}
    return {**document, "spec": {**spec, "limited": limited}}


def to_assured(document: Document) -> Document:
    """v1beta1 and v1beta2 call the shares assured, not nominal."""
    return _renamed(document, _NEW_NAME, _OLD_NAME)


def to_nominal(document: Document) -> Document:
    return _renamed(document, _OLD_NAME, _NEW_NAME)


def _number(path: str) -> Cell:
    def cell(document: Document, now: float) -> object:
        found = at(document, path)
        return NONE if found is None else found

    return cell


def _shares(document: Document, now: float) -> object:
    limited = at(document, "spec.limited")
    return NONE if limited is None else limited.get(_NEW_NAME, limited.get(_OLD_NAME, 0))


_QUEUE = "spec.limited.limitResponse.queuing"
_RENAMED_SINCE = 26

KIND = Kind(
    group="flowcontrol.apiserver.k8s.io",
    kind="PriorityLevelConfiguration",
    plural="prioritylevelconfigurations",
    namespaced=False,
    versions=("v1", "v1beta3", "v1beta2", "v1beta1"),
    convert=dict.fromkeys(("v1beta2", "v1beta1"), (to_assured, to_nominal)),
    subresources=(STATUS,),
    columns=(
        Column("Type", text("spec.type")),
        Column("AssuredConcurrencyShares", _shares, until=_RENAMED_SINCE - 1),
        Column("NominalConcurrencyShares", _shares, since=_RENAMED_SINCE),
        Column("Queues", _number(f"{_QUEUE}.queues")),
        Column("HandSize", _number(f"{_QUEUE}.handSize")),
        Column("QueueLengthLimit", _number(f"{_QUEUE}.queueLengthLimit")),
        AGE,
    ),
    default=default,
)
