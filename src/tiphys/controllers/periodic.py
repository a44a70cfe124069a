"""Doing something again and again without ever dying of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from tiphys.base.clock import Clock
from tiphys.base.status import StatusError

log = logging.getLogger(__name__)


async def periodically(clock: Clock, seconds: float, act: Callable[[], Awaitable[None]], name: str) -> None:
    """Act now and then `seconds` after each time it ended; what it raises is logged."""
    while True:
        try:
            await act()
        except (StatusError, OSError) as error:
            log.info("%s: %s", name, error)
        except Exception:
            log.exception("%s failed", name)
        await clock.sleep(seconds)
