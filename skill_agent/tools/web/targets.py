"""Where a URL leads, in one spelling; what cannot be fetched is told before anybody is asked."""

import re
import unicodedata
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from skill_agent.errors import ToolFailed

if TYPE_CHECKING:
    import httpx

LONGEST = 8_000
"""Characters of a URL."""

_CLOSING = "．。，、；：！？）》」』】”’»…"
_TYPED = re.compile(rf"(?<![!#-&*-;=?-Z\\^_a-z|~])https?://[^\s<>\"`{_CLOSING}]+", re.IGNORECASE)
"""A URL that begins after a blank, an opening bracket, a quotation mark or a letter of a script
without blanks, never inside another URL or word."""

_NO_NAME = re.compile(r"[\x00-\x2c/:-@\[-^`{-\x7f]")


def target_of(text: str) -> "httpx.URL":
    """The URL as it will be fetched, without its fragment; raises ToolFailed for one that cannot.

    Everything that decides about a URL asks this, so that no two readings of it can differ.
    """
    import httpx

    text = text.strip()
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme.lower(), _host(parts.hostname or ""), parts.port
        if not (text.isprintable() and len(text) <= LONGEST and host):
            raise ValueError
        if scheme not in ("http", "https"):
            raise ValueError
        if "@" in parts.netloc:
            raise ToolFailed("a URL with a user name or password is not fetched")
        place = f"[{host}]" if ":" in host else host
        place = place if port is None else f"{place}:{port}"
        return httpx.URL(urlunsplit((scheme, place, parts.path or "/", parts.query, "")))
    except (ValueError, httpx.InvalidURL):
        raise ToolFailed(f"{shown(text)} is not an http(s) URL") from None


def redirected(url: "httpx.URL", location: str) -> "httpx.URL":
    """Where an answer sends us; raises ToolFailed as `target_of` does."""
    try:
        return target_of(urljoin(str(url), location))
    except ValueError:
        raise ToolFailed(f"redirected to {shown(location)}, which is not an http(s) URL") from None


def name_of(url: "httpx.URL") -> str:
    """The host as DNS knows it: lower-case ASCII, so that no two scripts look the same."""
    return url.raw_host.decode("ascii")


def host_of(url: str) -> str:
    """The same of any text; empty for one that cannot be fetched."""
    try:
        return name_of(target_of(url))
    except ToolFailed:
        return ""


def allowed(host: str, domains: tuple[str, ...]) -> bool:
    """Whether a host is in an allow-list; `*.example.org` matches subdomains only."""
    for domain in domains:
        domain = domain.strip()
        wanted = host_of(f"http://{domain.removeprefix('*.')}")
        if not wanted:
            continue
        if host.endswith(f".{wanted}") if domain.startswith("*.") else host == wanted:
            return True
    return False


def is_typed(url: "httpx.URL", typed: str) -> bool:
    """Whether the URL stands in a person's words as a whole, not as a part of something longer."""
    for found in _TYPED.finditer(typed):
        token = found.group()
        for spelling in (token, token.rstrip(".,;:!?'*_~"), token.rstrip(".,;:!?'*_~)]}")):
            try:
                if target_of(spelling) == url:
                    return True
            except ToolFailed:
                continue
    return False


def shown(text: str) -> str:
    """A URL as a message quotes it: short, and with nothing in it that cannot be shown."""
    return ascii(text) if len(text) <= 100 else f"{text[:100]!a}…"


def _host(name: str) -> str:
    """The name in the spelling that is looked up; raises ValueError for none of the net's."""
    name = unicodedata.normalize("NFKC", name).lower().rstrip(".")
    if ":" in name:  # the library that connects reads these
        return name
    labels = name.split(".")
    if not all(0 < len(one) <= 63 and not _NO_NAME.search(one) for one in labels):
        raise ValueError
    return name
