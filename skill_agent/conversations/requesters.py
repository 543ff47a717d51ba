"""Who asked for a turn by an API key, and so which conversations are a key's own.

One note in the log a turn; what nobody noted is the home's own person's.
"""

from collections.abc import AsyncGenerator, Collection, Iterable
from datetime import datetime

from skill_agent.errors import NotFound
from skill_agent.ports import Clock, Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry, Message, Session, TurnRequest

from .branching import branched
from .marks import BRANCHED
from .sessions import checked_ref, find_among

KIND = "turn.requested"
_PAGE = 200
_ANY = "any"


async def note_requester(
    ledger: Ledger, request: TurnRequest, *, turn: str, session: str, begins: bool
) -> None:
    """Notes whose API key asks for a turn, before its message is saved; of the person's own turns
    there is nothing to note. `begins` says that the conversation begins with it."""
    if (by := request.requester) is not None:
        data = {"session": session, "key": by.key, "begins": begins, "keeps": request.keeps}
        await ledger.note(KIND, turn, actor=f"key:{by.key}", data=data)


async def requester_of(ledger: Ledger, turn: str) -> str | None:
    """The id of the API key that asked for a turn; None for the person's own."""
    found = await ledger.projected(_REQUESTERS, [turn])
    return found.get(turn, {}).get("key")


async def owned(ledger: Ledger, sessions: Collection[str], key: str) -> frozenset[str]:
    """Which of these conversations were begun by an API key."""
    found = await ledger.projected(_REQUESTERS, list(sessions)) if sessions else {}
    return frozenset(one for one, state in found.items() if state.get("key") == key)


async def left_out(ledger: Ledger, turns: Iterable[str]) -> frozenset[str]:
    """Which of these turns stay in their conversation, neither read for memories nor recalled
    elsewhere: a key asked for them that may not change what is remembered, or they are copies in a
    branch."""
    wanted = list(dict.fromkeys(turns))
    found = await ledger.projected(_REQUESTERS, wanted) if wanted else {}
    return frozenset(turn for turn, state in found.items() if not state.get("keeps", True))


async def any_left_out(ledger: Ledger) -> bool:
    """Whether there is such a turn at all."""
    return bool((await ledger.projected(_REQUESTERS, [_ANY])).get(_ANY))


class OwnConversations:
    """The conversations that one API key has begun; to it there are no others."""

    def __init__(self, ledger: Ledger, key: str, clock: Clock) -> None:
        self._ledger, self._key, self._clock = ledger, key, clock

    async def find(self, ref: str) -> Session:
        """As `find_session`; raises NotFound for a conversation of anybody else."""
        ref = checked_ref(ref)
        if ref == "latest":
            async for session in self._sessions():
                return session
            raise NotFound("this key has begun no conversation yet", hint="begin one")
        if (exact := await self._ledger.session(ref)) and await self._mine([exact.id]):
            return exact
        return find_among(ref, [session async for session in self._sessions()])

    async def messages(self, session_id: str) -> list[Message]:
        """Raises NotFound for a conversation of anybody else."""
        if not await self._mine([session_id]):
            raise NotFound(f"no session {session_id!r} of this key")
        return await self._ledger.messages(session_id)

    async def branch(self, ref: str, *, upto: str) -> str:
        """The id of a branch of one of its conversations, which is its own too."""
        origin = await self.find(ref)
        return await branched(self._ledger, origin, upto=upto, now=self._clock(), key=self._key)

    async def search(self, text: str, *, limit: int) -> list[Message]:
        """Its messages containing the text, the newest first."""
        found = await self._ledger.search_messages(text, limit=10_000)
        mine = await self._mine({one.session for one in found})
        return [one for one in found if one.session in mine][:limit]

    async def _mine(self, sessions: Collection[str]) -> frozenset[str]:
        return await owned(self._ledger, sessions, self._key)

    async def _sessions(self) -> AsyncGenerator[Session, None]:
        """The newest activity first."""
        before: tuple[datetime, str] | None = None
        while page := await self._ledger.sessions(limit=_PAGE, before=before):
            mine = await self._mine([one.id for one in page])
            for session in page:
                if session.id in mine:
                    yield session
            before = page[-1].updated_at, page[-1].id


# -- what the ledger keeps of it -----------------------------------------------------------------


def _keys(row: LogEntry) -> tuple[str, ...]:
    said = row.new or {}
    if row.kind == BRANCHED:
        return (*_copied(said), _ANY, *((row.entity,) if said.get("key") else ()))
    keys = (row.entity,) if said.get("keeps") else (row.entity, _ANY)
    return (*keys, said["session"]) if said.get("begins") else keys


def _step(key: str, state: State | None, row: LogEntry) -> State:
    """Of a row that was erased it is still known which turn it was of, and that it was a key's."""
    if row.kind == BRANCHED and key != _ANY:
        own = key == row.entity
        return state or {"key": (row.new or {}).get("key")} if own else {"keeps": False}
    said = row.new or {"key": row.actor.removeprefix("key:"), "keeps": False}
    if key == row.entity:
        return {"key": said["key"], "keeps": said["keeps"]}
    return {"left_out": True} if key == _ANY else state or {"key": said["key"]}


def _copied(said: State) -> list[str]:
    """The turns of a branch that are copies."""
    turns = said.get("turns")
    return [one for one in turns if isinstance(one, str)] if isinstance(turns, list) else []


_REQUESTERS = Projection(
    name="requesters", version=2, kinds=(KIND, BRANCHED), keys=_keys, step=_step
)
