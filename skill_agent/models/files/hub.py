"""What a hub says of a file before it is fetched: how large it is, its digest, how fast it comes.

Blocking. Fetching it whole is `fetch`'s work.
"""

import re
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from skill_agent.models.wire.proxies import client, proxy_for, through

from .catalogue import HUB

if TYPE_CHECKING:
    from httpx import Response

ENDPOINT_VARIABLE = "HF_ENDPOINT"
"""Names a mirror of the hub, as the hub's own tools read it."""
CONNECT_S = 2.0
"""Longest wait for a host to answer at all, so that an offline machine moves on."""
_SAMPLE = 2_000_000
"""Bytes read at most to learn how fast they come."""
_SHA256 = re.compile(r'^(?:W/)?"?([0-9a-f]{64})"?$')


@dataclass(frozen=True, slots=True, kw_only=True)
class HubAnswer:
    """A file as the hub describes it."""

    size: int
    """0 where it does not tell."""
    sha256: str
    """Empty where it does not tell, which for a large file it does."""
    bytes_per_s: float = 0.0
    """As its beginning came; 0 where that was not measured."""


class SourceFailed(Exception):
    """This source did not give the file; the next may. Never leaves the package."""


def at_endpoint(url: str, environ: Mapping[str, str]) -> str:
    """The URL at the mirror that the environment names, if it names one."""
    mirror = environ.get(ENDPOINT_VARIABLE, "").strip().rstrip("/")
    return url.replace(HUB, mirror, 1) if mirror and url.startswith(f"{HUB}/") else url


def asked(url: str, *, patience_s: float, sample_s: float = 0.0) -> HubAnswer:
    """Asks for the beginning of the file and reads it for `sample_s` at most; raises SourceFailed.

    `patience_s` bounds each wait for the hub. A request for one byte instead of a HEAD, because
    the stores that hubs redirect to sign their addresses for GET alone.
    """
    import httpx

    wanted = {"Range": f"bytes=0-{_SAMPLE - 1 if sample_s else 0}", "Accept-Encoding": "identity"}
    try:
        with (
            client(url, follow_redirects=True, timeout=patience_s) as http,
            http.stream("GET", url, headers=wanted) as answer,
        ):
            if answer.status_code not in (200, 206):
                raise SourceFailed(f"HTTP {answer.status_code}")
            steps = [*answer.history, answer]
            rate = _rate(answer, sample_s) if sample_s else 0.0
    except httpx.HTTPError as error:
        raise SourceFailed(broken(error, url)) from None
    return HubAnswer(
        size=next((size for one in steps if (size := _size(one))), 0),
        sha256=next((digest for one in steps if (digest := _digest(one))), ""),
        bytes_per_s=rate,
    )


def unreachable(url: str, patience_s: float) -> str:
    """Why the URL's host does not take a connection in time; empty when it does, and where a
    proxy answers for it."""
    import socket

    if proxy_for(url):
        return ""

    address = urlsplit(url)
    port = address.port or (443 if address.scheme == "https" else 80)
    outcome = ["no answer"]

    def knock() -> None:
        try:
            socket.create_connection((address.hostname, port), timeout=patience_s).close()
            outcome[0] = ""
        except OSError as error:
            outcome[0] = str(error.strerror or error)

    # In a thread, because looking a name up may block far longer than any time-out says.
    caller = threading.Thread(target=knock, daemon=True)
    caller.start()
    caller.join(patience_s + 0.5)
    return f"cannot be reached: {outcome[0]}" if outcome[0] else ""


def broken(error: Exception, url: str) -> str:
    """What went wrong on the way to a URL."""
    return f"{type(error).__name__}: {error}".rstrip(": ") + through(url)


def _rate(answer: "Response", seconds: float) -> float:
    started, read = time.monotonic(), 0
    for block in answer.iter_raw():
        read += len(block)
        if read >= _SAMPLE or time.monotonic() - started > seconds:
            break
    return read / max(time.monotonic() - started, 0.001)


def _size(answer: "Response") -> int:
    """Of the whole file, as one step of the answer tells it."""
    headers = answer.headers
    _, _, total = headers.get("content-range", "").rpartition("/")
    whole = headers.get("content-length", "") if answer.status_code == 200 else ""
    return next((int(one) for one in (headers.get("x-linked-size", ""), total, whole)
                 if one.isdecimal()), 0)  # fmt: skip


def _digest(answer: "Response") -> str:
    """The digest of a file in large-file storage, whose tag it is; of a small one it is a hash of
    another kind and length."""
    found = _SHA256.match(answer.headers.get("x-linked-etag", ""))
    return found[1] if found else ""
