"""The address behind a host's name, and whether it is one of the public net."""

import asyncio
import ipaddress
import socket
from collections.abc import Iterator

from skill_agent.errors import ToolFailed

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_LAST_32_BITS = (
    ipaddress.ip_network("::/96"),  # IPv4-compatible
    ipaddress.ip_network("::ffff:0:0:0/96"),  # IPv4-translated
    ipaddress.ip_network("64:ff9b::/96"),  # NAT64
)
"""IPv6 networks whose addresses end in an IPv4 one that packets may come out at."""
_NEVER_PUBLIC = (
    ipaddress.ip_network("64:ff9b:1::/48"),  # NAT64 of local use
    ipaddress.ip_network("fec0::/10"),  # site-local
)
_ISATAP = 0x0000_5EFE
_ISATAP_GLOBAL = 0x0200_0000
"""A bit that says nothing about where the address leads."""


async def addresses_of(host: str, port: int) -> list[Address]:
    """Every address of a name, in the resolver's order; raises ToolFailed where there is none."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        named = [ipaddress.ip_address(str(info[4][0]).split("%")[0]) for info in found]
    except OSError as problem:
        raise ToolFailed(f"{host} cannot be resolved: {problem.strerror or problem}") from None
    except ValueError:  # a name that DNS has no spelling for
        raise ToolFailed(f"{host} is no name of a host") from None
    if not named:
        raise ToolFailed(f"{host} has no address")
    return named


def is_public(address: Address) -> bool:
    """Whether it is of the public net, and so is every IPv4 address it carries inside."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return is_public(address.ipv4_mapped)
    if not address.is_global or address.is_multicast:
        return False
    return not any(address in net for net in _NEVER_PUBLIC) and all(
        map(is_public, _inside(address))
    )


def _inside(address: Address) -> Iterator[Address]:
    """The IPv4 addresses that an IPv6 one wraps."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    bits = int(address)
    if any(address in net for net in _LAST_32_BITS) or (
        (bits >> 32) & 0xFFFF_FFFF & ~_ISATAP_GLOBAL == _ISATAP
    ):
        yield ipaddress.IPv4Address(bits & 0xFFFF_FFFF)
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
