"""Whose messages a peer's are. A peer in no table is a stranger, and a stranger's messages are nobody's."""

import ipaddress
import socket
from collections.abc import Iterable

from ingest.receivers.syslog.model import Listener

__all__ = ["Peers", "plain_address"]


def plain_address(address: str) -> str:
    """An address as people write it: without a zone, and IPv4 where it is IPv4 inside IPv6."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


class Peers:
    """One listener's table.

    Names are looked up in DNS by `resolve` only, never while a peer waits: a slow name server must not stop the logs.
    """

    def __init__(self, listener: Listener) -> None:
        self._default = listener.source or None
        self._networks: list[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, str]] = []
        self._names: dict[str, str] = {}
        self._addresses: dict[str, frozenset[str]] = {}
        self._resolved: dict[str, str] = {}
        for peer, source in listener.peers.items():
            try:
                self._networks.append((ipaddress.ip_network(peer), source))
            except ValueError:
                if "/" in peer or not peer.strip():
                    raise ValueError(f"listener {listener.port}: {peer!r} is no address, network or name") from None
                self._names[peer.lower()] = source
        self._networks.sort(key=lambda entry: -entry[0].prefixlen)

    def resolve(self) -> list[str]:
        """Look the names up; a name that cannot be found keeps the addresses it had.

        Returns:
            The names that could not be found.
        """
        missing = []
        for name in self._names:
            try:
                found = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
            except (OSError, UnicodeError):
                missing.append(name)
                continue
            self._addresses[name] = frozenset(map(plain_address, found))
        self._resolved = {at: self._names[name] for name, known in self._addresses.items() for at in known}
        return missing

    @property
    def by_certificate(self) -> bool:
        """Whether a certificate could name a peer whose address says nothing."""
        return bool(self._names)

    def source(self, address: str, certificate_names: Iterable[str] = ()) -> str | None:
        """The source of a peer's messages; None for a stranger."""
        for name in certificate_names:
            if (named := self._names.get(name.lower())) is not None:
                return named
        at = ipaddress.ip_address(address)
        for network, source in self._networks:
            if at.version == network.version and at in network:
                return source
        return self._resolved.get(address, self._default)
