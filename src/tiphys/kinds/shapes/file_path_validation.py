"""Paths below a volume, which may not climb out of it (validateLocalDescendingPath and its kin)."""

from __future__ import annotations

from tiphys.base.field_error import invalid_value
from tiphys.kinds.shapes.field_checks import Errors

MODE_WRONG = "must be a number between 0 and 0777 (octal), both inclusive"


def no_backsteps(found: str, path: str, errors: Errors) -> None:
    if ".." in found and ".." in found.split("/"):
        errors.append(invalid_value(path, found, "must not contain '..'"))


def descending(found: str, path: str, errors: Errors) -> None:
    """Relative and never upwards."""
    if found.startswith("/"):
        errors.append(invalid_value(path, found, "must be a relative path"))
    no_backsteps(found, path, errors)


def descending_not_reserved(found: str, path: str, errors: Errors) -> None:
    """Nor may the name of a projected file begin with two dots: the kubelet keeps its own there."""
    descending(found, path, errors)
    if found.startswith("..") and not found.startswith("../"):
        errors.append(invalid_value(path, found, "must not start with '..'"))


def file_mode(mode: int | None, path: str, errors: Errors) -> None:
    if mode is not None and not 0 <= mode <= 0o777:
        errors.append(invalid_value(path, mode, MODE_WRONG))
