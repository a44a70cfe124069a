"""What a controller is: the contract between `runner.py` and the files of this folder.

Each controller is one file that exports `CONTROLLER = ControllerSpec(name, build)`. `build` asks the context's
informers for what it watches and adds its handlers; `run` works until it is cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from tiphys.base.clock import Clock
from tiphys.base.names import Ids
from tiphys.client.client import Client
from tiphys.client.events import EventRecorder
from tiphys.client.informers import Informers

Option = TypeVar("Option")


@dataclass(frozen=True, slots=True)
class Context:
    """What controllers are built with."""

    client: Client
    informers: Informers
    clock: Clock
    ids: Ids
    recorder: Callable[[str], EventRecorder]
    """The event recorder of a component, as `deployment-controller`; closed by the runner."""
    minor: int
    """The Kubernetes minor version served: behaviour and words differ by it."""
    options: Mapping[str, object] = field(default_factory=dict)
    """Settings by name, as `node-monitor-grace-period`; each controller's file says which it knows."""

    def option(self, name: str, default: Option) -> Option:
        """The setting, of the default's type. Raises TypeError if it is of another."""
        found = self.options.get(name, default)
        wanted = (int, float) if isinstance(default, float) else type(default)
        if not isinstance(found, wanted):
            raise TypeError(f"option {name} is {found!r}, not like {default!r}")
        return found  # type: ignore[return-value]


class Controller(Protocol):
    async def run(self) -> None:
        """Wait for the informers, then work until cancelled."""
        ...


@dataclass(frozen=True, slots=True)
class ControllerSpec:
    """`name` is upstream's name for the controller without `-controller`, as `replicaset`."""

    name: str
    build: Callable[[Context], Controller]
