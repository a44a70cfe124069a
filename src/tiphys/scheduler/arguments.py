"""Reading the arguments of plugins in a KubeSchedulerConfiguration: by type, with the field's name in the error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def integer(args: Mapping[str, Any], key: str, default: int, lowest: int, highest: int) -> int:
    """Raises ValueError."""
    value = args.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise ValueError(f"{key}: must be a whole number from {lowest} to {highest}, not {value!r}")
    return value


def choice(args: Mapping[str, Any], key: str, default: str, known: tuple[str, ...]) -> str:
    """Raises ValueError."""
    value = args.get(key, default)
    if value not in known:
        raise ValueError(f"{key}: must be one of {', '.join(known)}, not {value!r}")
    return str(value)


def mappings(args: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of mappings; empty if it is not there. Raises ValueError."""
    value = args.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise ValueError(f"{key}: must be a list of mappings")
    return value


def mapping(args: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Empty if it is not there. Raises ValueError."""
    value = args.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{key}: must be a mapping")
    return value


def only(args: Mapping[str, Any], known: tuple[str, ...]) -> None:
    """Raises ValueError for a field that is not one of those (or the type of the document)."""
    for key in args:
        if key not in (*known, "apiVersion", "kind"):
            raise ValueError(f"{key}: is not supported; supported are {', '.join(known)}")


def at(path: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """The function's result; its ValueError with the path before it."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise ValueError(f"{path}.{error}") from None
