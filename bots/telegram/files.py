"""Photos and documents as inputs: what of them a turn can take, and in one line why not."""

from collections.abc import Callable
from dataclasses import dataclass

from skill_agent.conversations.images import LARGEST, image_of
from skill_agent.errors import UsageError
from skill_agent.values import Attachment, Image

from .incoming import File
from .line import Line, Refused
from .phrases import say

MOST_TEXT = 2_000_000
"""Bytes of a document's text; what is more no prompt takes."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a file."""

    images: tuple[Image, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class NotTaken(Exception):
    """A file was not read; said in the person's language."""


class Files:
    """Fetches them."""

    def __init__(self, line: Line, most_mb: int) -> None:
        self._line, self._most_mb = line, most_mb

    async def take(self, file: File, language: str) -> Taken:
        """Raises NotTaken, and a LineError where Telegram cannot be asked now."""

        def refused(why: str) -> NotTaken:
            return NotTaken(say(language, "no file", name=file.name, why=why))

        most = LARGEST if file.photo else min(self._most_mb * 1_000_000, MOST_TEXT)
        most = min(most, self._most_mb * 1_000_000)
        if file.size > most:
            raise refused(say(language, "too large", most=most // 1_000_000))
        try:
            raw = await self._line.surely(lambda: self._line.fetch(file.id, most), tries=4)
        except Refused as problem:
            raise refused(problem.message) from None
        if not file.photo:
            return _text(raw, file, language, refused)
        try:
            return Taken(images=(image_of(raw, file.name),))
        except UsageError as problem:
            raise refused(problem.message) from None


def _text(raw: bytes, file: File, language: str, refused: Callable[[str], NotTaken]) -> Taken:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refused(say(language, "no text file")) from None
    if "\0" in text or not text.strip():
        raise refused(say(language, "no text file"))
    return Taken(attachments=(Attachment(text, origin="file", name=file.name),))
