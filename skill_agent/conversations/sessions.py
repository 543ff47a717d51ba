"""Sessions by the names people use for them, over the ledger."""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime

from skill_agent.errors import NotFound, UsageError
from skill_agent.ports import Ledger
from skill_agent.text.checks import sound_text
from skill_agent.text.redaction import masked
from skill_agent.values import Session

from .marks import marks

_PAGE = 1_000


async def find_session(ledger: Ledger, ref: str) -> Session:
    """By `latest`, id, unambiguous id prefix (6 characters or more) or title, ignoring case.

    Raises NotFound naming the nearest title, UsageError where several match.
    """
    ref = checked_ref(ref)
    if (exact := await ledger.session(ref)) is not None:
        return exact
    if ref == "latest":
        away = (await marks(ledger)).archived
        async for newest in all_sessions(ledger):
            if newest.id not in away:
                return newest
        raise NotFound("there is no session yet", hint='ska ask "hello"')
    return find_among(ref, [one async for one in all_sessions(ledger)])


async def all_sessions(ledger: Ledger) -> AsyncGenerator[Session, None]:
    """Those that are not deleted, the newest activity first."""
    before: tuple[datetime, str] | None = None
    while page := await ledger.sessions(limit=_PAGE, before=before):
        for session in page:
            yield session
        before = page[-1].updated_at, page[-1].id


def find_among(ref: str, sessions: Sequence[Session]) -> Session:
    """One of these by unambiguous id prefix or title; raises as `find_session` does."""
    ref = checked_ref(ref)
    matches = [one for one in sessions if len(ref) >= 6 and one.id.startswith(ref.lower())]
    matches = matches or [one for one in sessions if one.title.casefold() == ref.casefold()]
    matches = matches or [one for one in sessions if ref.casefold() in one.title.casefold()]
    match matches:
        case [one]:
            return one
        case []:
            from rapidfuzz import process

            near = process.extractOne(ref, [one.title for one in sessions], score_cutoff=60)
            hint = f"did you mean {near[0]!r}?" if near else "ska sessions list"
            raise NotFound(f"no session {ref!r}", hint=hint)
        case several:
            names = "; ".join(f"{one.id} {one.title!r}" for one in several[:5])
            raise UsageError(f"{ref!r} fits {len(several)} sessions", hint=f"use an id: {names}")


def checked_ref(ref: str) -> str:
    """The name without surrounding blanks; raises UsageError for none, or one that is no text."""
    if not (bare := ref.strip()):
        raise UsageError("which session?", hint="ska sessions list")
    sound_text(bare, "the session's name")
    return bare


_LOOKED_AT = 4_000
"""Characters of a message that its title is made from; no credential is longer."""


def title_of(text: str, limit: int = 60) -> str:
    """A session's title from its first message: its first line without credentials, cut at a
    word."""
    lines = masked(text.lstrip()[:_LOOKED_AT]).splitlines()
    line = next((" ".join(part.split()) for part in lines if part.strip()), "Untitled")
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[limit // 2 :] else cut).rstrip(" ,.;:") + "…"
