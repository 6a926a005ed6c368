"""Where a request came from: the one place that knows the person's address, and how little of it is used.

No Django here.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Address = IPv4Address | IPv6Address
#: Bits of the network that an address belongs to: of a household or an office, as providers give them out.
IPV4_PREFIX, IPV6_PREFIX = 24, 48


def client_address(meta: Mapping[str, Any]) -> Address | None:
    """The person's address, from a request's META; None where it has none, as over a unix socket.

    The web server has put there what a proxy that FORWARDED_ALLOW_IPS names says; the headers of anybody else count for
    nothing, so no header is looked at here.
    """
    try:
        found = ip_address(str(meta.get("REMOTE_ADDR", "")))
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def network_of(address: Address | None) -> str:
    """The address's network, e.g. ``192.0.2.0/24`` or ``2001:db8:7::/48``.

    Empty for none and for this machine itself: behind that is a proxy that is not named, and so everybody.
    """
    if address is None or address.is_loopback:
        return ""
    if isinstance(address, IPv4Address):
        return str(IPv4Network((address.packed, IPV4_PREFIX), strict=False))
    return str(IPv6Network((address.packed, IPV6_PREFIX), strict=False))
