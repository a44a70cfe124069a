"""The files TLS is made of, followed as they change: a new certificate or bundle needs no restart (upstream's
`dynamiccertificates`). They are looked at once a second, which finds every kind of change, replaced links included.
"""

from __future__ import annotations

import logging
import os
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tiphys.base.clock import Clock
from tiphys.server.tls import server_context

log = logging.getLogger(__name__)
SECONDS = 1.0
Renew = Callable[[ssl.SSLContext], Awaitable[None]]
Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of the server's pair and of the bundles that clients' certificates are verified against."""

    certificate: str
    key: str
    client_cas: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        return self.certificate, self.key, *self.client_cas

    def context(self) -> ssl.SSLContext:
        """Raises OSError, of which ssl.SSLError is one, for files that cannot be used."""
        return server_context(self.certificate, self.key, *self.client_cas)

    async def follow(self, renew: Renew, clock: Clock) -> None:
        """Call `renew` with a new context whenever a file has changed; files that cannot be used change nothing."""
        seen = self._stamp()
        while True:
            await clock.sleep(SECONDS)
            found = self._stamp()
            if found in (None, seen):
                continue
            seen = found
            try:
                context = self.context()
            except (OSError, ValueError) as error:
                log.warning("certificates stay as they were: cannot use %s: %s", ", ".join(self.paths), error)
                continue
            await renew(context)
            log.info("certificates read anew: %s", ", ".join(self.paths))

    def _stamp(self) -> Stamp | None:
        """What tells one version of the files from another; None while one is missing."""
        try:
            found = [os.stat(path) for path in self.paths]
        except OSError:
            return None
        return tuple((each.st_mtime_ns, each.st_ino, each.st_size) for each in found)
