"""A conversation that goes on from a place in another one, with what was said there until then.

The copies say what the originals say and count for nothing: no tokens, nothing recalled, and, as
turns that stay in their conversation (`requesters.left_out`), they are neither read for memories
nor recalled elsewhere. They come in as imported messages do: nothing waits for them.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from skill_agent.errors import NotFound, UsageError
from skill_agent.identifiers import new_id
from skill_agent.ports import Ledger
from skill_agent.values import Belongings, Message, Note, Session

from .marks import BRANCHED
from .turn_ends import ends_for

_SUFFIX = " (branch)"


async def branched(
    ledger: Ledger, origin: Session, *, upto: str = "", now: datetime, key: str = ""
) -> str:
    """Begins a branch in one write and gives its id; `key` is the id of the API key that begins
    it. Raises NotFound for a message that is not in the conversation, UsageError for none."""
    said = _until(await ledger.messages(origin.id), origin, upto)
    session = replace(
        origin,
        id=new_id(),
        title=origin.title.removesuffix(_SUFFIX) + _SUFFIX,
        created_at=now,
        updated_at=now,
        archived=False,
        pinned=False,
    )
    turns = {turn: new_id() for turn in dict.fromkeys(one.turn for one in said)}
    ids = {one.id: new_id() for one in said}
    data = {"session": session.id, "from": origin.id, "message": said[-1].id}
    data |= {"turns": list(turns.values()), **({"key": key} if key else {})}
    note = Note(kind=BRANCHED, entity=session.id, actor="person", at=now, data=data)
    copies = tuple(_copy(one, session.id, turns[one.turn], ids[one.id]) for one in said)
    ends = await ends_for(ledger, turns, ids, session.id)
    belongings = Belongings(sessions=(session,), messages=copies, notes=(note, *ends))
    await ledger.import_belongings([belongings], actor="person")
    return session.id


def _until(messages: Sequence[Message], origin: Session, upto: str) -> list[Message]:
    if not messages:
        raise UsageError(f"nothing was said in {origin.title!r} yet", hint="ska sessions list")
    if not upto:
        return list(messages)
    place = next((n for n, one in enumerate(messages) if one.id == upto), None)
    if place is None:
        raise NotFound(
            f"no message {upto[:60]!r} in {origin.title!r}",
            hint=f"ska sessions show {origin.id} --json",
        )
    return list(messages[: place + 1])


def _copy(message: Message, session: str, turn: str, new: str) -> Message:
    return replace(message, id=new, session=session, turn=turn, usage=None, context="", recalled=())
