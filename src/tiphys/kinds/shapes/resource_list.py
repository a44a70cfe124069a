"""ResourceList: a map from resource name to quantity."""

from __future__ import annotations

from typing import Any

from tiphys.base.field_error import FieldError, invalid_value
from tiphys.base.quantity import Quantity, from_milli, parse
from tiphys.kinds.shapes.resource_name import is_integer

NEGATIVE = "must be greater than or equal to 0"
NOT_POSITIVE = "must be greater than zero"
NOT_INTEGER = "must be an integer"


def quantities(resources: Any) -> dict[str, Quantity]:
    """The list's quantities by name, in the order of names; text that is no quantity is left out."""
    found: dict[str, Quantity] = {}
    for name in sorted(resources or ()):
        try:
            found[name] = parse(resources[name])
        except ValueError:
            continue
    return found


def default_resource_list(holder: Any, key: str) -> None:
    """Write the quantities of `holder[key]` canonically, rounded up to thousandths (SetDefaults_ResourceList)."""
    resources = holder.get(key) if isinstance(holder, dict) else None
    if not isinstance(resources, dict):
        return
    for name, quantity in quantities(resources).items():
        resources[name] = str(_round_up(quantity))


def _round_up(quantity: Quantity) -> Quantity:
    if quantity.nanos % 1_000_000 == 0:
        return quantity
    return from_milli(quantity.milli_value, quantity.format)


def quantity_errors(name: str, quantity: Quantity, path: str) -> list[FieldError]:
    """Not negative, and whole where the resource is counted (ValidateResourceQuantityValue)."""
    errors = [invalid_value(path, str(quantity), NEGATIVE)] if quantity.sign < 0 else []
    if is_integer(name) and quantity.nanos % 1_000_000_000:
        errors.append(invalid_value(path, str(quantity), NOT_INTEGER))
    return errors
