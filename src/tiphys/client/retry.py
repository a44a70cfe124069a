"""Trying again when another writer was quicker (client-go `util/retry`)."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tiphys.base.clock import Clock
from tiphys.base.status import StatusError

Result = TypeVar("Result")


def is_not_found(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.reason == "NotFound"


def is_conflict(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.reason == "Conflict"


def is_already_exists(error: BaseException) -> bool:
    return isinstance(error, StatusError) and error.reason == "AlreadyExists"


NAMESPACE_TERMINATING = "NamespaceTerminating"


def has_cause(error: StatusError, reason: str) -> bool:
    """Whether the Status carries this cause, as NamespaceTerminating (errors.HasStatusCause)."""
    causes = (error.details or {}).get("causes") or ()
    return any(cause.get("reason") == reason for cause in causes)


async def retry_on_conflict(
    write: Callable[[], Awaitable[Result]], clock: Clock, *, steps: int = 5, delay: float = 0.01
) -> Result:
    """Call `write`, which must read anew each time, until it meets no conflict; at most `steps` times.

    Delays are upstream's DefaultRetry: 10 ms, jitter 10 %. Raises the last conflict, or any other error at once.
    """
    for _ in range(steps - 1):
        try:
            return await write()
        except StatusError as error:
            if not is_conflict(error):
                raise
        await clock.sleep(delay * (1 + random.random() * 0.1))
    return await write()
