"""Addresses of the network: which of them a host may have, and what a name stands for now."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

#: An address to connect to, and the port.
Endpoint = tuple[str, int]
#: From a host's name to its endpoints. Raises OSError when there are none.
Resolver = Callable[[str], Sequence[Endpoint]]
#: Whether an address may be connected to.
AddressPolicy = Callable[[str], bool]

#: The only port of ``https://`` assets.
HTTPS_PORT: Final = 443
#: IPv6 addresses that are handed out for the internet (RFC 4291, IANA's registry).
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
#: Of these 6to4, given up by RFC 7526, which leads to whatever IPv4 address it holds, and
#: addresses for documentation (RFC 9637), which older Pythons do not know.
_NOT_IN_USE: Final = (IPv6Network("2002::/16"), IPv6Network("3fff::/20"))
#: IPv4 hosts as DNS64 shows them to networks without IPv4 (RFC 6052).
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether ``address`` is a host's on the internet.

    No loopback, private, link-local, shared, documentation, multicast or reserved
    address is, and no IPv6 form that hides one.
    """
    try:
        parsed = ip_address(address)
    except ValueError:  # also one with a zone, which is link-local
        return False
    if isinstance(parsed, IPv6Address):
        if parsed in _NAT64:
            return _is_public_v4(IPv4Address(int(parsed) & 0xFFFF_FFFF))
        in_use = parsed in _GLOBAL_UNICAST and not any(parsed in part for part in _NOT_IN_USE)
        return in_use and parsed.is_global
    return _is_public_v4(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved)


def resolve(host: str) -> Sequence[Endpoint]:
    """Return the endpoints of ``host`` as the system's resolver gives them now, best first."""
    found = socket.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((str(entry[4][0]), HTTPS_PORT) for entry in found))
