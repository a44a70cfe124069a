"""Addresses as documents hold them (apimachinery `util/validation/ip.go`, `ValidateEndpointIP`)."""

from __future__ import annotations

import ipaddress

from tiphys.base.field_error import FieldError, invalid_value

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NOT_IP = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"


def parse_ip(text: str) -> Address | None:
    """The address; None for what is none, a zone (`fe80::1%eth0`) included, as net.ParseIP has it."""
    try:
        return None if "%" in text else ipaddress.ip_address(text)
    except ValueError:
        return None


def is_cidr(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def family(text: str) -> str:
    """`IPv4`, `IPv6`, or empty for what is no address."""
    address = parse_ip(text)
    return f"IPv{address.version}" if address else ""


def ip_errors(text: str, path: str) -> list[FieldError]:
    return [] if parse_ip(text) else [invalid_value(path, text, NOT_IP)]


def special_ip_errors(text: str, path: str) -> list[FieldError]:
    """Addresses that name no endpoint elsewhere."""
    address = parse_ip(text)
    if address is None:
        return [invalid_value(path, text, "must be a valid IP address")]
    checks = (
        (address.is_unspecified, f"may not be unspecified ({text})"),
        (address.is_loopback, "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (
            address.is_link_local and not address.is_multicast,
            "may not be in the link-local range (169.254.0.0/16, fe80::/10)",
        ),
        (_is_link_local_multicast(address), "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    )
    return [invalid_value(path, text, detail) for wrong, detail in checks if wrong]


def _is_link_local_multicast(address: Address) -> bool:
    network = "224.0.0.0/24" if address.version == 4 else "ff02::/16"
    return address in ipaddress.ip_network(network)
