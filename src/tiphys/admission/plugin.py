"""What plugins share: how one refuses, and the two halves of a plugin that has only one phase."""

from __future__ import annotations

from typing import Any

from tiphys.api.admission import Attributes, Environment
from tiphys.base.document import Document
from tiphys.base.status import StatusError, forbidden, qualified

CREATE = "CREATE"
UPDATE = "UPDATE"
DELETE = "DELETE"


class AdmitOnly:
    """A plugin without a validating phase; the chain leaves that out."""

    async def validate(self, attributes: Attributes) -> None:
        return


class ValidateOnly:
    """A plugin without a mutating phase; the chain leaves that out."""

    async def admit(self, attributes: Attributes) -> None:
        return


class Base:
    """A plugin that keeps its environment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.reader = environment.reader


def refuse(attributes: Attributes, why: str) -> StatusError:
    """403 in the words of admission.NewForbidden, which names an unnamed object by its generateName."""
    return forbidden(qualified(attributes.group, attributes.resource), _name(attributes), why)


def _name(attributes: Attributes) -> str:
    if attributes.name:
        return attributes.name
    metadata = (attributes.object or {}).get("metadata") or {}
    return metadata.get("name") or metadata.get("generateName") or "Unknown"


def is_for(attributes: Attributes, operation: str, plural: str, group: str = "") -> bool:
    """Whether it is this operation on an object of this resource itself, not on a subresource."""
    return (
        attributes.resource == plural
        and attributes.operation == operation
        and not attributes.subresource
        and attributes.group == group
        and attributes.object is not None
    )


def part(document: Document, key: str) -> Document:
    """A child object of a document, made if it is not there, so that one may write to it."""
    found: Any = document.get(key)
    if found is None:
        found = document[key] = {}
    child: Document = found
    return child


def items(document: Document, key: str) -> list[Any]:
    """A child list of a document, made if it is not there, so that one may add to it."""
    found: Any = document.get(key)
    if found is None:
        found = document[key] = []
    child: list[Any] = found
    return child
