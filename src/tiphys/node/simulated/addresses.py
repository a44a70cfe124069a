"""Pod addresses: each node has a part of the pod network and gives its addresses out."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network

NODE_PREFIX = 24


def node_subnets(network: IPv4Network) -> Iterator[IPv4Network]:
    """The /24s of the pod network, one a node."""
    if network.prefixlen >= NODE_PREFIX:
        return iter((network,))
    return network.subnets(new_prefix=NODE_PREFIX)


class AddressPool:
    """The addresses of one node's subnet; the first two are the network's and the bridge's."""

    def __init__(self, subnet: IPv4Network) -> None:
        self._base = int(subnet.network_address)
        self._size = subnet.num_addresses - 1
        self._next = 2
        self._owners: dict[str, int] = {}
        self._taken: set[int] = set()

    def take(self, owner: str) -> str:
        """The owner's address, the same until it is released. Raises LookupError when none is left."""
        offset = self._owners.get(owner)
        if offset is None:
            offset = self._free()
            self.keep(owner, str(IPv4Address(self._base + offset)))
        return str(IPv4Address(self._base + offset))

    def keep(self, owner: str, address: str) -> None:
        """Note that the owner has this address already, as after a restart."""
        offset = int(IPv4Address(address)) - self._base
        self._owners[owner] = offset
        self._taken.add(offset)

    def release(self, owner: str) -> None:
        offset = self._owners.pop(owner, None)
        if offset is not None:
            self._taken.discard(offset)

    def _free(self) -> int:
        """Round robin, so that an address is not used again at once."""
        for _ in range(self._size):
            offset = self._next
            self._next = 2 if offset + 1 >= self._size else offset + 1
            if offset not in self._taken:
                return offset
        raise LookupError("no address is left in the node's subnet")
