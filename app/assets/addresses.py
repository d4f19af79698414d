"""IP addresses: which ones may be connected to, and how host names are resolved."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

#: An address to connect to, and the port.
Endpoint = tuple[str, int]
#: Resolves a host name to endpoints. Raises OSError if there are none.
Resolver = Callable[[str], Sequence[Endpoint]]
#: Whether an address may be connected to.
AddressPolicy = Callable[[str], bool]

#: The only port of ``https://`` assets.
HTTPS_PORT: Final = 443
#: IPv6 addresses that are assigned on the internet (RFC 4291, IANA's registry).
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
#: Exceptions: 6to4, which leads to the IPv4 address in it (deprecated by RFC 7526), and addresses
#: for documentation (RFC 9637), which older versions of Python do not know.
_NOT_IN_USE: Final = (IPv6Network("2002::/16"), IPv6Network("3fff::/20"))
#: IPv4 addresses as translated by DNS64 for networks without IPv4 (RFC 6052).
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether ``address`` belongs to a host on the internet.

    Loopback, private, link-local, shared, documentation, multicast and reserved addresses do not,
    nor do IPv6 addresses that embed one of them.
    """
    try:
        parsed = ip_address(address)
    except ValueError:  # including addresses with a zone, which are link-local
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
    """Resolve ``host`` with the system's resolver; return its endpoints, best first."""
    found = socket.getaddrinfo(host, HTTPS_PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys((str(entry[4][0]), HTTPS_PORT) for entry in found))
