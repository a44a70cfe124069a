"""Which objects a list or watch is about: label and field selectors (apiserver `storage/selection_predicate.go`)."""

from __future__ import annotations

from dataclasses import dataclass

from tiphys.api.call import Call
from tiphys.api.facts import record_facts, selectable
from tiphys.api.kind import Kind
from tiphys.base import field_selector, label_selector
from tiphys.base.field_error import quoted
from tiphys.base.status import bad_request
from tiphys.store.contract import Record

_NAME = "metadata.name"
_DEFAULT = (_NAME, "metadata.namespace")


@dataclass(frozen=True, slots=True)
class Selection:
    """`name` is the one name selected, if it is one: then a single key is read and not a range."""

    labels: label_selector.Selector
    fields: field_selector.Selector
    name: str = ""

    @property
    def everything(self) -> bool:
        return self.labels.empty and self.fields.empty

    def matches(self, kind: Kind, record: Record) -> bool:
        facts = record_facts(kind, record)
        return self.labels.matches(facts.labels) and self.fields.matches(facts.fields)

    def select(self, kind: Kind, records: list[Record]) -> list[Record]:
        if self.everything:
            return records
        return [record for record in records if self.matches(kind, record)]


_ALL = Selection(label_selector.EVERYTHING, field_selector.EVERYTHING)


def read_selection(call: Call) -> Selection:
    """The selectors of the query, and the name of the path. Raises StatusError 400 in upstream's words."""
    if not call.query and not call.info.name:
        return _ALL
    try:
        labels = label_selector.parse(call.query.text("labelSelector"))
        fields = field_selector.parse(call.query.text("fieldSelector"))
    except ValueError as error:
        raise bad_request(str(error)) from None
    _supported(call.kind, fields)
    return Selection(labels, *_named(call.info.name, fields))


def _supported(kind: Kind, fields: field_selector.Selector) -> None:
    """The field labels of the kind, or the default ones (runtime.DefaultMetaV1FieldSelectorConversion)."""
    if fields.empty:
        return
    known = selectable(kind)
    for term in fields.terms:
        if known is None and term.field not in _DEFAULT:
            only = ", ".join(map(quoted, _DEFAULT))
            raise bad_request(f"{quoted(term.field)} is not a known field selector: only {only}")
        if known is not None and term.field not in known:
            raise bad_request(f"field label not supported: {term.field}")


def _named(name: str, fields: field_selector.Selector) -> tuple[field_selector.Selector, str]:
    """handlers.listOpts: a name in the path must agree with the selector."""
    selected = fields.exact(_NAME)
    if not name:
        return fields, selected or ""
    if fields.empty:
        return field_selector.Selector((field_selector.Term(_NAME, name),)), name
    if selected != name:
        raise bad_request("fieldSelector metadata.name doesn't match requested name")
    return fields, name
