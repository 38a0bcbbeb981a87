"""One POST over the network, to a receiver of which nothing is believed.

It is bounded in everything: the whole attempt has one deadline, however slowly the receiver drips; of the
answer no more is read than status and headers; redirects are not followed. In clear text it goes to this
machine only. What went wrong is said without anything that the receiver has sent, and without the path.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import io
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import msgspec

MOST_HEAD: Final = 32 << 10
"""Bytes of status and headers that are read."""
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: |\r\n)")
_END: Final = b"\r\n\r\n"
_PLAIN: Final = re.compile(r"[!-~]+")


class Target(msgspec.Struct, frozen=True):
    """Where to post. path: with its query.   shown: what may be logged: no path, which may hold a token."""

    host: str
    port: int
    secure: bool
    path: str

    @property
    def shown(self) -> str:
        """The receiver without what may be secret."""
        scheme = "https" if self.secure else "http"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


class Answer(msgspec.Struct, frozen=True):
    """What the receiver said. retry_after_s: for how long it wants to be left alone."""

    status: int
    retry_after_s: float | None = None


class Undelivered(Exception):
    """There was no answer that could be understood. Whether the receiver has it is not known."""


def target_of(url: str) -> Target:
    """Raises ValueError with what is wrong with the address."""
    if not _PLAIN.fullmatch(url):
        raise ValueError("it has characters that no address has")
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"}:
        raise ValueError("it does not begin with https://")
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("it holds a user name; the signature says who posts")
    if parts.fragment:
        raise ValueError("it has a fragment, which is never sent")
    secure = parts.scheme == "https"
    if not secure and not _is_loopback(parts.hostname):
        raise ValueError("http is for this machine only (127.0.0.1, ::1, localhost); use https")
    port = parts.port or (443 if secure else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.hostname, port, secure, path)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def trusting(ca_file: str | None = None) -> ssl.SSLContext:
    """Certificates and names are checked. ca_file: what to trust in place of the machine's authorities."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def post(
    target: Target, headers: Mapping[str, str], body: bytes, timeout_s: float, tls: ssl.SSLContext
) -> Answer:
    """Post once. Raises Undelivered, after `timeout_s` at the latest (a look-up of the name aside)."""
    deadline = time.monotonic() + timeout_s
    try:
        with contextlib.closing(_connected(target, deadline, tls)) as link:
            link.settimeout(_left(deadline))
            link.sendall(_request(target, headers, body))
            return _answer(link, deadline)
    except TimeoutError:
        raise Undelivered(f"no answer within {timeout_s:g} s") from None
    except ssl.SSLError as error:
        raise Undelivered(f"TLS: {error.reason or 'the handshake failed'}") from None
    except OSError as error:
        raise Undelivered(error.strerror or type(error).__name__) from None


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connected(target: Target, deadline: float, tls: ssl.SSLContext) -> socket.socket:
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    if not target.secure:
        found = [one for one in found if ipaddress.ip_address(one[4][0]).is_loopback]
    failed: OSError = OSError(0, "the name has no address that may be used")
    for family, kind, protocol, _, address in found:
        link = socket.socket(family, kind, protocol)
        try:
            link.settimeout(_left(deadline))
            link.connect(address)
            if not target.secure:
                return link
            link.settimeout(_left(deadline))
            return tls.wrap_socket(link, server_hostname=target.host)
        except OSError as error:
            link.close()
            failed = error
    raise failed


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    usual = target.port == (443 if target.secure else 80)
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {host}" if usual else f"Host: {host}:{target.port}",
        "User-Agent: daybook-webhooks/1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode("latin-1") + _END + body


def _answer(link: socket.socket, deadline: float) -> Answer:
    """The first answer that is final. Half of one is none."""
    read = b""
    while True:
        while _END not in read:
            if len(read) > MOST_HEAD:
                raise Undelivered(f"the answer's headers have more than {MOST_HEAD} bytes")
            link.settimeout(_left(deadline))
            some = link.recv(4_096)
            if not some:
                raise Undelivered("the connection ended within the answer" if read else "no answer")
            read += some
        head, read = read.split(_END, 1)
        found = _STATUS.match(head + _END)
        if found is None:
            raise Undelivered("what answered does not speak HTTP/1.1")
        status = int(found[1])
        if status >= 200:  # before it there may be others that say that it is on its way
            return Answer(status, _retry_after(head))


def _retry_after(head: bytes) -> float | None:
    """Seconds, or a date, from the header of that name."""
    lines = io.BytesIO(head.partition(b"\r\n")[2] + _END)
    try:
        said = http.client.parse_headers(lines).get("Retry-After", "")
    except http.client.HTTPException:
        return None
    if re.fullmatch(r"[0-9]{1,9}", said.strip()):
        return float(said)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):  # a year may have any number of digits
        return None
