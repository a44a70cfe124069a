"""How a volume may be used at once, and the short words for it in tables."""

from __future__ import annotations

from tiphys.base.field_error import FieldError, forbidden_field, unsupported
from tiphys.kinds.shapes.columns import Cell, at

SHORT = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
"""In the order tables show them (GetAccessModesAsString)."""


def access_mode_errors(modes: list[str], path: str) -> list[FieldError]:
    """Each known, and ReadWriteOncePod alone."""
    errors = [unsupported(path, mode, set(SHORT)) for mode in modes if mode not in SHORT]
    if "ReadWriteOncePod" in modes and len(set(modes) & set(SHORT)) > 1:
        errors.append(forbidden_field(path, "may not use ReadWriteOncePod with other access modes"))
    return errors


def access_modes(path: str) -> Cell:
    """The modes at `path`, in short and in order."""

    def cell(document: dict[str, object], now: float) -> str:
        modes = at(document, path) or ()
        return ",".join(short for mode, short in SHORT.items() if mode in modes)

    return cell
