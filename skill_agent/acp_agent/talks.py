"""The sessions an editor has open, and those it can open again."""

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from acp.schema import SessionInfo

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import iso, parse_time
from skill_agent.text.shaping import one_line
from skill_agent.values import Session
from skill_agent.workstation import Workstation

from .choices import Choices
from .folders import Folders
from .texts import shown

MOST_OPEN = 500
"""Sessions of one editor."""
PAGE = 50
_MOST_LOOKED_AT = 2_000
"""Conversations a page of one folder is looked for in."""


@dataclass(slots=True)
class Running:
    """A prompt that is being answered."""

    turn: str
    cancelled: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Talk:
    """A session as an editor has it open."""

    id: str
    """Of the conversation, too."""
    folder: Path
    choices: Choices
    mode: str
    model: str = ""
    begun: bool = False
    """Whether the conversation is in the home: it is from its first message on."""
    running: Running | None = None
    spent_usd: float = 0.0

    @property
    def conversation(self) -> str | None:
        return self.id if self.begun else None


class Talks:
    """Those of one editor, by id."""

    def __init__(self) -> None:
        self._open: dict[str, Talk] = {}

    def add(self, talk: Talk) -> None:
        """Raises UsageError where more would be open than anybody looks at."""
        if talk.id not in self._open and len(self._open) >= MOST_OPEN:
            raise UsageError(f"{MOST_OPEN} sessions are open", hint="close one first")
        self._open[talk.id] = talk

    def drop(self, session: str) -> None:
        self._open.pop(session, None)

    def known(self, session: str) -> Talk | None:
        return self._open.get(session)

    def of(self, session: str) -> Talk:
        """Raises NotFound for one that is not open."""
        if (talk := self._open.get(session)) is None:
            raise NotFound(
                f"the session {session[:80]!r} is not open", hint="load or resume it, or begin anew"
            )
        return talk


async def conversation_of(station: Workstation, session: str) -> Session:
    """By its whole id and nothing else; raises NotFound."""
    try:
        found = await station.conversations.find(session)
    except UsageError:
        found = None
    if found is None or found.id != session:
        raise NotFound(f"there is no session {session[:80]!r}", hint="it may have been erased")
    return found


async def page_of(
    station: Workstation, folders: Folders, *, cwd: str | None, cursor: str | None, otherwise: str
) -> tuple[list[SessionInfo], str | None]:
    """The conversations from a cursor on, and the next one. With `cwd` those begun in that folder
    and those begun in none, which are as much this editor's as any other's; `otherwise` is what
    they are listed under where none is asked for."""
    before = _read_cursor(cursor)
    found: list[SessionInfo] = []
    looked = 0
    while looked < _MOST_LOOKED_AT:
        page = await station.conversations.list(limit=PAGE, before=before)
        told = await asyncio.to_thread(_told, page, folders, cwd, otherwise)
        for one, session in zip(told, page, strict=True):
            before = session.updated_at, session.id
            if one is not None:
                found.append(one)
            if len(found) == PAGE:
                return found, _cursor(before)
        if len(page) < PAGE:
            return found, None
        looked += len(page)
    return found, _cursor(before) if before else None


def _told(
    page: Sequence[Session], folders: Folders, cwd: str | None, otherwise: str
) -> list[SessionInfo | None]:
    """None for a conversation of another folder."""
    told: list[SessionInfo | None] = []
    for session in page:
        folder = folders.of(session.id)
        if cwd is not None and folder and Path(folder) != Path(cwd):
            told.append(None)
        else:
            told.append(info_of(session, folder or cwd or otherwise))
    return told


def info_of(session: Session, folder: str) -> SessionInfo:
    title = one_line(shown(session.title, 400), 200)
    return SessionInfo(
        session_id=session.id, cwd=folder, title=title or None, updated_at=iso(session.updated_at)
    )


def _cursor(before: tuple[datetime, str]) -> str:
    return urlsafe_b64encode(f"{iso(before[0])} {before[1]}".encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    try:
        moment, _, session = urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        return parse_time(moment), session
    except ValueError:
        raise UsageError("this is no cursor of a list", hint="ask for the list anew") from None
