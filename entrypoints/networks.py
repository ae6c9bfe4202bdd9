"""IP addresses: parse them, check trusted networks, and derive keys for counting clients."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    collapse_addresses,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

MIN_PREFIX_LENGTHS = {4: 8, 6: 16}
"""A trusted network with a shorter prefix is too large for proxies, unless it is a private network."""

CLIENT_PREFIX_LENGTH = 64
"""An IPv6 customer gets at least a /64 (RFC 6177) and can use every address in it."""

_MAX_ADDRESS_LENGTH = 64
_MAPPED = IPv6Network("::ffff:0:0/96")
_PRIVATE: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",  # this host (RFC 1122, 3.2.1.3)
        "10.0.0.0/8",  # private use (RFC 1918)
        "100.64.0.0/10",  # shared address space of carriers (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local (RFC 3927)
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::/127",  # unspecified and loopback
        "fc00::/7",  # unique local (RFC 4193)
        "fe80::/10",  # link-local
    )
)


@lru_cache(maxsize=1024)
def read_address(text: str) -> Address | None:
    """Parse an address; return None if the text is not an address.

    A zone (`%eth0`) is left out, and an IPv4 address that is mapped into IPv6 (RFC 4291, 2.5.5.2) is read as IPv4.
    """
    if len(text) > _MAX_ADDRESS_LENGTH:
        return None
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))


def contains(networks: Sequence[Network], address: Address) -> bool:
    """Return whether the address is in one of the networks."""
    return any(address in network for network in networks)


def is_private(address: Address) -> bool:
    """Return whether the address is not reachable on the Internet: loopback, private or link-local."""
    return contains(_PRIVATE, address)


@lru_cache(maxsize=1024)
def client_address_key(text: str) -> str:
    """Return the key by which a client is counted: the /64 of an IPv6 address, any other text unchanged."""
    address = read_address(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), CLIENT_PREFIX_LENGTH), strict=False))
    return text if address is None else str(address)


def parse_proxies(text: str) -> tuple[Network, ...]:
    """Parse a list of networks and addresses, such as `10.0.0.0/8,2001:db8::7`.

    Raises `ValueError` for a malformed entry, and if the networks together contain nearly every address: then each
    client could choose the address by which it is counted.
    """
    networks = tuple(_parse_network(entry.strip(), position) for position, entry in enumerate(text.split(","), start=1))
    collapsed: list[Network] = [
        *collapse_addresses(it for it in networks if isinstance(it, IPv4Network)),
        *collapse_addresses(it for it in networks if isinstance(it, IPv6Network)),
    ]
    for network in collapsed:
        if network.prefixlen < MIN_PREFIX_LENGTHS[network.version] and not _is_part_of_private(network):
            raise ValueError(
                "trusts nearly every address there is, so that clients could choose the one they are counted by; name "
                "the network that the proxy connects from"
            )
    return networks


def _parse_network(entry: str, position: int) -> Network:
    address, slash, prefix = entry.partition("/")
    if "%" in entry or (slash and not (prefix.isascii() and prefix.isdigit())):
        raise ValueError(f"entry {position} is neither an address nor a network such as 10.0.0.0/8 or 2001:db8::/32")
    try:
        network = ip_network(entry, strict=False)
        exact = ip_address(address) == network.network_address
    except ValueError:
        raise ValueError(
            f"entry {position} is neither an address nor a network such as 10.0.0.0/8 or 2001:db8::/32"
        ) from None
    if not exact:
        raise ValueError(f"entry {position} has an address inside the network before the slash; write {network}")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = IPv4Address(int(network.network_address) & 0xFFFF_FFFF)
        return IPv4Network((mapped, network.prefixlen - _MAPPED.prefixlen))
    return network


def _is_part_of_private(network: Network) -> bool:
    if isinstance(network, IPv4Network):
        return any(isinstance(it, IPv4Network) and network.subnet_of(it) for it in _PRIVATE)
    return any(isinstance(it, IPv6Network) and network.subnet_of(it) for it in _PRIVATE)
