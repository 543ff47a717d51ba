"""What a server answered: at most so many bytes of it, counted decoded, and their text."""

import codecs
import json
import re
import zlib
from typing import TYPE_CHECKING

from skill_agent.errors import ToolFailed

from .targets import shown
from .visible import html_text

if TYPE_CHECKING:
    import httpx

ACCEPTED = "gzip"
"""The one encoding that is asked for; a second layer would multiply what it unpacks to."""

_GZIP = 16 + zlib.MAX_WBITS
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
_CHARSETS = re.compile(
    r"ascii|latin|utf[-_](?:8|16|32)|iso8859|iso2022|cp\d|koi8|mac|gb|big5|euc|shift_jis|hz|tis|kz"
)
"""Beginnings of the names of charsets that pages are written in; Python has others by which it
reads no text, or takes very long."""


async def body_of(response: "httpx.Response", most: int) -> bytes:
    """The first `most` bytes of the decoded body; raises ToolFailed for one that cannot be read."""
    unpacked = _unpacking(response)
    body, received = bytearray(), 0
    async for chunk in response.aiter_raw():
        received += len(chunk)
        body += unpacked.more(chunk, most - len(body)) if unpacked else chunk
        if len(body) >= most or received >= most:
            return bytes(body[:most])
    if unpacked:
        unpacked.end()
    return bytes(body)


def text_of(content_type: str, body: bytes) -> str:
    """The text of a body as a model reads it; raises ToolFailed for what is none.

    Takes a while for a large page: for a thread.
    """
    kind = content_type.split(";")[0].strip().lower()
    if kind and not (kind.startswith("text/") or kind.endswith(("json", "xml", "javascript"))):
        raise ToolFailed(f"the answer is {kind[:100]}, not text")
    text = _decoded(body, content_type)
    if kind in ("text/html", "application/xhtml+xml"):
        text = html_text(text)
    elif kind.endswith("json"):
        text = _compact_json(text)
    return text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate is no character


class _Gzip:
    """Unpacks a stream without ever making more than is asked for."""

    def __init__(self) -> None:
        self._layer = zlib.decompressobj(_GZIP)
        self._begun = False

    def more(self, chunk: bytes, room: int) -> bytes:
        """At most `room` bytes more; what would come after them is given up."""
        out = bytearray()
        try:
            while chunk and len(out) < room:
                if self._layer.eof:  # files joined end to end are one
                    self._layer = zlib.decompressobj(_GZIP)
                self._begun = True
                out += self._layer.decompress(chunk, room - len(out))
                chunk = self._layer.unused_data
        except zlib.error as problem:
            raise ToolFailed(f"the answer says it is gzip and is not: {problem}") from None
        return bytes(out)

    def end(self) -> None:
        if self._begun and not self._layer.eof:
            raise ToolFailed("the answer broke off in the middle")


def _unpacking(response: "httpx.Response") -> _Gzip | None:
    named = response.headers.get("content-encoding", "").lower().split(",")
    layers = [name for one in named if (name := one.strip()) not in ("", "identity")]
    if len(layers) > 1:
        raise ToolFailed(f"the answer is encoded {len(layers)} times over; once is the most")
    if layers and layers[0] not in ("gzip", "x-gzip"):
        raise ToolFailed(f"the answer is encoded as {shown(layers[0])}, which was not asked for")
    return _Gzip() if layers else None


def _decoded(body: bytes, content_type: str) -> str:
    """By the charset that is stated; one we do not know may be UTF-8 by another name."""
    found = _CHARSET.search(content_type)
    name = found[1] if found else "utf-8"
    try:
        if _CHARSETS.match(codecs.lookup(name).name):
            return body.decode(name, "replace")
    except (LookupError, ValueError):
        pass
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        raise ToolFailed(f"the answer's charset is {shown(name)}, which is none known") from None


def _compact_json(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):
        return text
