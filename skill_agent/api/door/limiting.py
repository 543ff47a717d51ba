"""How often a caller may ask, per minute and kind of request, and how many requests of one address
are answered at the same time; counted in memory, never on disk.

The window moves: a request counts for sixty seconds from when it came. Refused ones do not count.
"""

import ipaddress
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from skill_agent.ports import Clock
from skill_agent.workstation import LimitClass

from .moving_window import MovingWindow
from .refusals import Refusal

PER_MINUTE: Mapping[LimitClass, int] = MappingProxyType(
    {"chat": 60, "general": 300, "search": 30, "auth": 10, "embed": 100}
)


AT_ONCE, STRANGERS_SHARE = 64, 4
"""Of one address, streams and WebSockets among them; strangers have a quarter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateStatus:
    """Where a caller stands after a request."""

    allowed: bool
    limit: int
    remaining: int
    reset: int
    """Epoch second at which the oldest request stops counting."""
    retry_after: int
    """Whole seconds until then, at least 1."""

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """`X-RateLimit-…`, and `Retry-After` for a refusal."""
        shown = [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.reset),
        ]
        return shown if self.allowed else [*shown, (b"retry-after", b"%d" % self.retry_after)]


class Limiter:
    """Counts requests; one for a whole server."""

    def __init__(
        self,
        clock: Clock,
        per_minute: Mapping[LimitClass, int] = PER_MINUTE,
        *,
        at_once: int = AT_ONCE,
    ) -> None:
        """`at_once` requests of an address are answered at the same time."""
        self._clock, self._at_once = clock, at_once
        self._answered: Counter[tuple[str, bool]] = Counter()
        self._window = MovingWindow(clock)
        self._per_minute = {**PER_MINUTE, **per_minute}

    @property
    def callers(self) -> int:
        """How many callers are remembered, by kind."""
        return len(self._window)

    @contextmanager
    def answering(self, address: str, *, known: bool) -> Iterator[None]:
        """While a request of an address is answered; raises Refusal. Those without a key
        (not `known`) have a share of their own, so that they take nothing from the others."""
        who = (address, known)
        most = self._at_once if known else max(1, self._at_once // STRANGERS_SHARE)
        if self._answered[who] >= most:
            raise Refusal(
                429, "too_many_at_once", f"at most {most} requests of one address at the same time",
                headers={"Retry-After": "1"}, limit=most,
                hint="wait until others have ended; config.toml: [serve] requests_at_once",
            )  # fmt: skip
        self._answered[who] += 1
        try:
            yield
        finally:
            self._answered[who] -= 1
            if not self._answered[who]:
                del self._answered[who]

    def hit(self, kind: LimitClass, who: str) -> RateStatus:
        """Counts one request of a caller, if it is still allowed."""
        allowed = self._window.take((kind, who), self._per_minute[kind])
        return self._standing(kind, who, allowed=allowed)

    def look(self, kind: LimitClass, who: str) -> RateStatus:
        """Where the caller stands, nothing being counted."""
        return self._standing(kind, who, allowed=True)

    def _standing(self, kind: LimitClass, who: str, *, allowed: bool) -> RateStatus:
        limit = self._per_minute[kind]
        reset, counted = self._window.state((kind, who))
        return RateStatus(
            allowed=allowed,
            limit=limit,
            remaining=max(0, limit - counted),
            reset=math.ceil(reset),
            retry_after=max(1, math.ceil(reset - self._clock().timestamp())),
        )


def limit_class(method: str, path: str) -> LimitClass:
    """The kind of a request by its path alone, for an app without a table of routes."""
    parts = [part for part in path.split("/") if part]
    if "auth" in parts[:2]:
        return "auth"
    if {"search", "recall"} & set(parts):
        return "search"
    if method != "POST":
        return "general"
    if "chat" in parts or parts[-1:] in (["turns"], ["completions"]):
        return "chat"
    return "embed" if parts[-1:] in (["memories"], ["import"]) else "general"


def address_of(client: object) -> str:
    """The caller's address as it is counted: for IPv6 the /64, which is one household's."""
    host = str(client[0]) if isinstance(client, list | tuple) and client else "unknown"
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return f"ip:{host}"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return f"ip:{address.ipv4_mapped}"
        return f"ip:{ipaddress.ip_network((address, 64), strict=False)}"
    return f"ip:{address}"
