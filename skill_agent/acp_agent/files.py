"""Files an editor points to: read through the editor where it offers that, for it may hold changes
that are not saved, else from the disk. Nothing outside the session's folder, no more than a bound.
"""

import asyncio
import os
import stat
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from acp.exceptions import RequestError

from skill_agent.values import Attachment

MOST_TEXT = 2_000_000
"""Characters, and bytes on disk, of one file."""
READ_S = 10.0
"""How long the editor may take to give one."""

ReadsText = Callable[[str], Awaitable[str]]
"""Asks the editor for the text of a file, by its whole path."""


class NotTaken(Exception):
    """A file was not read; why, in words."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one session."""

    folder: Path
    through_editor: ReadsText | None = None

    async def read(self, uri: str) -> Attachment:
        """The file behind a link; raises NotTaken."""
        path = self.within(path_in(uri))
        name = path.relative_to(self._root()).as_posix()
        await asyncio.to_thread(_check, path)
        text = await self._text(path)
        return Attachment(checked_text(text), origin="file", name=name)

    def within(self, path: Path) -> Path:
        """The path itself, once links are followed; raises NotTaken for one outside the folder."""
        root = self._root()
        try:
            real = (root / path).resolve()
        except (OSError, RuntimeError, ValueError):
            raise NotTaken("its path leads nowhere") from None
        if not real.is_relative_to(root):
            raise NotTaken("it lies outside the session's folder")
        return real

    def named(self, uri: str) -> str:
        """What a person would call it: its path within the folder, else its last part."""
        try:
            path = path_in(uri)
        except NotTaken:
            return urlsplit(uri).path.rpartition("/")[2][:200] or uri[:200]
        inside = path.is_relative_to(self.folder)
        return (path.relative_to(self.folder).as_posix() if inside else path.name)[:200]

    def _root(self) -> Path:
        return self.folder.resolve()

    async def _text(self, path: Path) -> str:
        if self.through_editor is None:
            return await asyncio.to_thread(_from_disk, path)
        try:
            async with asyncio.timeout(READ_S):
                return await self.through_editor(str(path))
        except TimeoutError:
            raise NotTaken("the editor did not give it in time") from None
        except RequestError as problem:
            raise NotTaken(f"the editor did not give it: {str(problem)[:200]}") from None


def path_in(uri: str) -> Path:
    """The path that a link names; raises NotTaken for a link to no file of this machine."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise NotTaken("its address cannot be read") from None
    if parts.scheme == "" and uri.startswith("/"):
        return Path(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise NotTaken("only files of the session's folder are read")
    path = unquote(parts.path)
    if "\0" in path or not path.startswith("/"):
        raise NotTaken("its path leads nowhere")
    return Path(path)


def whole_path(folder: str, path: str) -> str:
    """A path as an editor wants it: from the root, in the folder where it does not say so."""
    return os.path.normpath(Path(folder) / path)


def checked_text(text: str) -> str:
    """Text as it may be attached; raises NotTaken."""
    if len(text) > MOST_TEXT:
        raise NotTaken(f"it has {len(text):,} characters; {MOST_TEXT:,} is the most")
    if "\0" in text:
        raise NotTaken("it is no text")
    if not text.strip():
        raise NotTaken("it is empty")
    return text


def _check(path: Path) -> None:
    """What is known of it without reading; a file only the editor has is not there yet."""
    try:
        found = path.stat()
    except OSError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise NotTaken("it is no plain file")
    if found.st_size > MOST_TEXT:
        raise NotTaken(f"it has {found.st_size:,} bytes; {MOST_TEXT:,} is the most")


def _from_disk(path: Path) -> str:
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise NotTaken("it is no plain file")
            raw = stream.read(MOST_TEXT + 1)
    except OSError as error:
        raise NotTaken(f"it cannot be read: {error.strerror or error}") from None
    if len(raw) > MOST_TEXT:
        raise NotTaken(f"it has more than {MOST_TEXT:,} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotTaken("it is no text") from None
