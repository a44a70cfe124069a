"""The folder is the registry: a new plugin is one new file that exports one agreed constant."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any


def discover(package: str, constant: str) -> list[Any]:
    """The `constant` of every module below `package` that exports it, sorted by module name.

    Modules that do not export it are shared code and are passed over. An import error is raised, not hidden.
    """
    root = importlib.import_module(package)
    names = sorted(found.name for found in pkgutil.walk_packages(root.__path__, f"{package}."))
    modules = [importlib.import_module(name) for name in names]
    return [getattr(module, constant) for module in modules if hasattr(module, constant)]
