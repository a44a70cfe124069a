"""An answer in pieces that tells when it is over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable


class ToldStream:
    """Passes on chunks; calls `over` once, at their end or when closed, begun or not."""

    def __init__(self, chunks: AsyncIterator[bytes], over: Callable[[], None]) -> None:
        self._chunks = chunks
        self._over: Callable[[], None] | None = over

    def __aiter__(self) -> ToldStream:
        return self

    async def __anext__(self) -> bytes:
        try:
            return await anext(self._chunks)
        except BaseException:
            self._tell()
            raise

    async def aclose(self) -> None:
        try:
            close = getattr(self._chunks, "aclose", None)
            if close is not None:
                await close()
        finally:
            self._tell()

    def _tell(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over()
