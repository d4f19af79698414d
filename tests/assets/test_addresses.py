from __future__ import annotations

import pytest

from app.assets.addresses import is_public, resolve


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::0101:0101"]
)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1",
        "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1",
        "2001:db8::1", "2001::1", "100::1", "3fff::1", "5f00::1",
        # IPv6 that hides a private IPv4: mapped, compatible, 6to4, NAT64.
        "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "2002:7f00:1::", "2002:808:808::",
        "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b:1::8.8.8.8",
        # What some resolvers take for 127.0.0.1.
        "127.1", "0177.0.0.1", "2130706433", "localhost", "", "1.1.1.1 ",
    ],
)  # fmt: skip
def test_no_other_address_is_public_however_it_is_written(address: str) -> None:
    assert not is_public(address)


def test_the_systems_resolver_gives_each_address_once() -> None:
    found = resolve("localhost")
    assert found
    assert len(set(found)) == len(found)
    assert {port for _, port in found} == {443}
    assert not any(is_public(address) for address, _ in found)
