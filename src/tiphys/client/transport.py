"""How a client reaches the API: the contract, whatever carries it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(slots=True)
class Reply:
    """A whole answer."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Transport(Protocol):
    """Sends requests as one identity. In process it is a direct call of the pipeline, else HTTPS."""

    async def request(
        self, method: str, path: str, query: Mapping[str, str], body: bytes = b"", content_type: str = ""
    ) -> Reply:
        """One request and its whole answer, errors of the API included (they are not raised here)."""
        ...

    def stream(self, path: str, query: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
        """A GET answered in lines: yields each line. Raises StatusError if the answer is not 200.

        The iterator must be closed (`aclose`) to end the stream.
        """
        ...

    async def close(self) -> None: ...
