"""What one connection may take of the server: bytes and seconds, as plain numbers a test can choose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes are counted, seconds are on the clock the server is given."""

    header_bytes: int = 256 * 1024
    """Request line and headers together. Upstream takes 1 MiB (net/http); the parser gathers a header that comes
    byte by byte at quadratic cost, so ours is smaller, and still far above what clients send."""
    body_buffer: int = 64 * 1024
    """Unread body kept for the application before the client is made to wait."""
    write_slice: int = 256 * 1024
    """A large answer is written in pieces of this size, each after the client took the ones before."""
    header_seconds: float = 32.0
    """From the first byte of a request to the end of its headers (upstream's ReadHeaderTimeout)."""
    body_seconds: float = 60.0
    """A body that stands still this long is given up."""
    idle_seconds: float = 180.0
    """Between requests (client-go's and upstream's idle connections live 90 s or more)."""
    write_seconds: float = 60.0
    """A client that takes nothing this long while an answer waits is cut off."""
    linger_seconds: float = 1.0
    """After an answer that left a body unread, so that the answer is not lost to a reset."""
    handshake_seconds: float = 10.0
