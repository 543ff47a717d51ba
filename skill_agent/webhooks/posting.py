"""One request to a webhook: where it may go, and what came of it.

The rules of the HTTP tool hold: a name is looked up once, its addresses are checked, and the
connection goes to the one that was checked, past any proxy. No redirect is followed. Nothing of
what the other side says is read but the status and how long it wants to be left alone.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from skill_agent.errors import ToolFailed, UsageError
from skill_agent.ports import Clock
from skill_agent.tools.web.addresses import addresses_of, is_public
from skill_agent.tools.web.targets import allowed, name_of, target_of

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 15.0
"""Of one try, looking up the name and all else."""
LONGEST_PAUSE_S = 24 * 3600.0
"""A receiver that asks for a longer pause gets this one."""
GONE = 410


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a request."""

    status: int | None = None
    error: str = ""
    """In words of ours; empty where it was taken."""
    after_s: float | None = None
    """How long the other side wants to be left alone."""

    @property
    def taken(self) -> bool:
        return not self.error


class Posting:
    """Sends requests to webhooks."""

    def __init__(
        self, allow_private: tuple[str, ...], clock: Clock, timeout_s: float = TIMEOUT_S
    ) -> None:
        """`allow_private` names hosts that may have private addresses, and be spoken to without
        encryption."""
        self._allow_private, self._clock, self._timeout_s = allow_private, clock, timeout_s
        self._trusted: ssl.SSLContext | None = None

    def target(self, text: str) -> "httpx.URL":
        """Where a URL leads; raises UsageError for one that nothing may be sent to."""
        try:
            url = target_of(text)
        except ToolFailed as problem:
            raise UsageError(problem.message, hint="as in https://example.org/hook") from None
        if url.scheme != "https" and not self._is_own(url):
            raise UsageError(
                f"{name_of(url)} would be told things unencrypted",
                hint="use https, or name a host of your own network in [webhooks] allow_private",
            )
        return url

    async def check(self, text: str) -> str:
        """The URL as it is kept; raises UsageError for one that nothing may be sent to. A name that
        cannot be looked up now is none yet."""
        url = self.target(text)
        try:
            async with asyncio.timeout(self._timeout_s):
                found = await addresses_of(name_of(url), url.port or 0)
        except (ToolFailed, TimeoutError):
            return str(url)
        if not self._is_own(url) and any(not is_public(one) for one in found):
            raise UsageError(
                f"{name_of(url)} is of a private network",
                hint="if it is to be told things, name it in [webhooks] allow_private",
            )
        return str(url)

    async def post(self, text: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Sends a body; never raises for what the other side, or the way there, does."""
        import httpx

        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._sent(self.target(text), body, headers)
        except (TimeoutError, httpx.TimeoutException):
            return Answer(error=f"it did not answer within {self._timeout_s:g} s")
        except (UsageError, ToolFailed) as problem:
            return Answer(error=problem.message)
        except httpx.ConnectError as problem:
            return Answer(error=_unconnected(problem))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            # What these say may repeat what the other side sent.
            return Answer(error="it broke off, or does not speak HTTP")

    async def _sent(self, url: "httpx.URL", body: bytes, headers: Mapping[str, str]) -> Answer:
        import httpx

        address = await self._address(url)
        safe = url.scheme == "https"
        verify = await asyncio.to_thread(self._certificates) if safe else False
        async with httpx.AsyncClient(
            follow_redirects=False, trust_env=False, timeout=self._timeout_s, verify=verify
        ) as client:
            request = client.build_request(
                "POST",
                url.copy_with(host=address),
                content=body,
                headers={
                    **headers,
                    "Host": url.netloc.decode("ascii"),
                    "User-Agent": "skill-agent",
                    "Accept": "*/*",
                    "Accept-Encoding": "identity",
                },
                extensions={"sni_hostname": name_of(url)},
            )
            response = await client.send(request, stream=True)
            try:
                return self._answer(response)
            finally:
                await response.aclose()

    def _answer(self, response: "httpx.Response") -> Answer:
        status = response.status_code
        if 200 <= status < 300:
            return Answer(status=status)
        if response.has_redirect_location:
            return Answer(
                status=status, error=f"HTTP {status}: it redirects, which is not followed"
            )
        told = ": it wants no more" if status == GONE else ""
        pause = self._pause(response.headers.get("retry-after", ""))
        return Answer(status=status, error=f"HTTP {status}{told}", after_s=pause)

    def _pause(self, said: str) -> float | None:
        """Seconds, or a date; None for anything else."""
        said = said.strip()[:64]
        if said.isascii() and said.isdigit():
            return min(float(said), LONGEST_PAUSE_S)
        try:
            moment = parsedate_to_datetime(said)
        except (TypeError, ValueError, IndexError):
            return None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return min(max(_seconds(moment, self._clock()), 0.0), LONGEST_PAUSE_S)

    async def _address(self, url: "httpx.URL") -> str:
        """The address to connect to; looked up once, so that the name cannot change in between."""
        found = await addresses_of(name_of(url), url.port or 0)
        if not self._is_own(url) and any(not is_public(one) for one in found):
            raise ToolFailed(
                f"{name_of(url)} is of a private network and not in [webhooks] allow_private"
            )
        return str(found[0])

    def _is_own(self, url: "httpx.URL") -> bool:
        return allowed(name_of(url), self._allow_private)

    def _certificates(self) -> ssl.SSLContext:
        """Made once: reading all authorities takes a while. Those that the environment names
        count."""
        import httpx

        if self._trusted is None:
            self._trusted = httpx.create_ssl_context()
        return self._trusted


def _seconds(moment: datetime, now: datetime) -> float:
    return (moment - now).total_seconds()


def _unconnected(problem: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(problem):
        return "its certificate cannot be trusted"
    return "no connection could be made"
