"""Which addresses webhooks may be sent to: those of the world, and inside ones only where the operator says so.

A URL is judged when it is registered, so that its sender learns of it. What counts is the address that a connection is
made to, judged again by the sender each time: a name may lead elsewhere by then.
"""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORT_MAX = 65_535

_INSIDE_V4 = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network: many systems connect to themselves
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_WORLD_V6 = IPv6Network("2000::/3")
_INSIDE_V6 = tuple(IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
_TRANSLATED = IPv6Network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa")


class BlockedAddress(OSError):
    """A connection to an address that webhooks may not be sent to."""


class AddressGuard:
    """Judges URLs and addresses."""

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        """`allowed` are the inside networks that the operator lets webhooks reach."""
        self._allowed = tuple(allowed)

    def allows(self, address: Address) -> bool:
        """Whether a connection may be made to this address."""
        real = _unwrapped(address)
        return any(real in network for network in self._allowed) or not _is_inside(real)

    def url_fault(self, url: str) -> str | None:
        """What is wrong with a URL as it stands, or None. Names are not looked up."""
        if any(character <= " " or character in '\\<>"' or character >= "\x7f" for character in url):
            return "must be a plain URL without spaces; write other characters percent-encoded, and names in punycode"
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return "must be an http or https URL"
        if parts.scheme not in {"http", "https"} or not host or port == 0:
            return "must be an http or https URL"
        if "@" in parts.netloc:
            return "must not hold a user or a password"
        address = literal_address(host)
        if address is None and "[" in parts.netloc:
            return "must be an http or https URL"
        if address is not None and not self.allows(address):
            return "must lead to a public address"
        if address is None and not self._allowed and _is_local_name(host):
            return "must lead to a public address"
        return None

    def found_fault(self, found: Iterable[str]) -> str | None:
        """What is wrong with the addresses that a name leads to now, or None."""
        if all(self.allows(ip_address(address.partition("%")[0])) for address in found):
            return None
        return "must lead to a public address"

    def socket_for(self, info: tuple[int | socket.AddressFamily, int, int, str, tuple[object, ...]]) -> socket.socket:
        """A socket to connect to this very address, given as `socket.getaddrinfo` does. Raises BlockedAddress."""
        family, kind, protocol, _, place = info
        if not self.allows(ip_address(str(place[0]).partition("%")[0])):
            raise BlockedAddress("the address is not a public one")
        return socket.socket(family, kind, protocol)


def literal_address(host: str) -> Address | None:
    """The address that a host is by itself, in any of the spellings that a system's own look-up takes; else None."""
    host = host.rstrip(".")
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))  # 2130706433, 0x7f.1, 0177.0.0.1, 127.1
    except OSError:
        return None


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks from a list with commas, e.g. ``10.1.0.0/16, fd00::/8``. Raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def _is_local_name(host: str) -> bool:
    name = host.rstrip(".").lower()
    return "." not in name or any(name == local or name.endswith(f".{local}") for local in _LOCAL_NAMES)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _TRANSLATED:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_inside(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return any(address in network for network in _INSIDE_V4)
    return address not in _WORLD_V6 or any(address in network for network in _INSIDE_V6)
