"""What the home knows of each chat: its conversation, replies that it is owed, messages sent there.

Notes in the ledger, folded chat by chat; they name conversations and messages, and hold no text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skill_agent.ports import Ledger
from skill_agent.ports.projections import Projection, State
from skill_agent.values import LogEntry

CHAT, OWED, SENT = "bridge.chat", "bridge.owed", "bridge.sent"
"""Kinds of the notes; their entity is the chat: which conversation it is in, which turn's reply it
is to be brought, which messages carry it or an item of the inbox."""
KINDS = (CHAT, OWED, SENT)

_ALL = "*"
_MOST_SENT = 200
"""Messages of a chat of which it is known where a reply to them goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A reply that is to be brought to a chat."""

    chat: str
    turn: str
    session: str
    asked: int
    """The message there that it answers."""
    sent: tuple[int, ...] = ()
    """The messages there that carry what there was of it."""


class Chats:
    """The chats of one bridge."""

    def __init__(self, ledger: Ledger, bridge: str) -> None:
        self._ledger, self._bridge = ledger, bridge

    async def session(self, chat: str) -> str | None:
        """The conversation that the chat is in."""
        return (await self._state(chat)).get("session") or None

    async def enter(self, chat: str, session: str | None) -> None:
        """From now on the chat is in this conversation, or begins a new one."""
        if await self.session(chat) != session:
            await self._note(CHAT, chat, {"session": session})

    async def owe(self, chat: str, *, turn: str, session: str, asked: int) -> Owed | None:
        """None for a reply that was brought before."""
        state = await self._state(chat)
        if turn in state.get("brought", ()):
            return None
        known = state.get("owed", {}).get(turn)
        if known is None:
            await self._note(OWED, chat, {"session": session, "turn": turn, "asked": asked})
        return _owed(chat, turn, known or {"session": session, "asked": asked})

    async def sent(
        self, chat: str, *, about: str, session: str | None, messages: Sequence[int], whole: bool
    ) -> None:
        """A turn's reply, or an item, is carried by these messages; `whole` once all of it is."""
        told = {"about": about, "session": session, "messages": [*messages], "whole": whole}
        await self._note(SENT, chat, told)

    async def owed(self) -> list[Owed]:
        """Every reply not brought yet, in the order in which they were asked for."""
        chats = (await self._state(_ALL)).get("chats", [])
        states = {chat: await self._state(chat) for chat in chats}
        return [
            _owed(chat, turn, one)
            for chat, state in states.items()
            for turn, one in state.get("owed", {}).items()
        ]

    async def session_of(self, chat: str, message: int) -> str | None:
        """The conversation that a message sent there belongs to."""
        return (await self._state(chat)).get("sessions", {}).get(str(message))

    async def carried(self, chat: str, about: str) -> tuple[int, ...]:
        """The messages that carry the whole of an item there."""
        return tuple((await self._state(chat)).get("items", {}).get(about, ()))

    async def about(self, chat: str, message: int) -> str | None:
        """The item or question that a message there carries."""
        items = (await self._state(chat)).get("items", {})
        return next((about for about, held in items.items() if message in held), None)

    async def _state(self, chat: str) -> State:
        key = f"{self._bridge}/{chat}"
        return (await self._ledger.projected(_CHATS, [key])).get(key) or {}

    async def _note(self, kind: str, chat: str, data: dict[str, Any]) -> None:
        await self._ledger.note(kind, f"{self._bridge}/{chat}", actor=self._bridge, data=data)


def _owed(chat: str, turn: str, known: dict[str, Any]) -> Owed:
    return Owed(
        chat=chat,
        turn=turn,
        session=known["session"],
        asked=known["asked"],
        sent=tuple(known.get("sent", ())),
    )


def _keys(row: LogEntry) -> tuple[str, ...]:
    bridge, _, _ = row.entity.partition("/")
    return (row.entity, f"{bridge}/{_ALL}")


def _step(key: str, state: State | None, row: LogEntry) -> State:
    known: State = {**(state or {})}
    new = row.new if isinstance(row.new, dict) else {}
    bridge, _, chat = row.entity.partition("/")
    if key == f"{bridge}/{_ALL}":
        chats = known.get("chats", [])
        return known if not new or chat in chats else {"chats": [*chats, chat]}
    match row.kind, new:
        case "bridge.chat", {"session": str() | None as session}:
            known["session"] = session
        case "bridge.owed", {"turn": str() as turn, "session": str() as session, "asked": int()}:
            owes = {"session": session, "asked": new["asked"]}
            known["owed"] = {**known.get("owed", {}), turn: owes}
        case "bridge.sent", {"about": str(), "messages": list()}:
            _carried(known, new)
    return known


def _carried(known: State, new: dict[str, Any]) -> None:
    about, session = new["about"], new.get("session")
    messages = [one for one in new["messages"] if isinstance(one, int)]
    owed = dict(known.get("owed", {}))
    if about in owed and new.get("whole"):
        del owed[about]
        known["brought"] = [*known.get("brought", ()), about][-_MOST_SENT:]
    elif about in owed:
        owed[about] = {**owed[about], "sent": messages}
    elif new.get("whole"):
        items = {**known.get("items", {}), about: messages}
        known["items"] = dict([*items.items()][-_MOST_SENT:])
    known["owed"] = owed
    if isinstance(session, str):
        sessions = {**known.get("sessions", {}), **{str(one): session for one in messages}}
        known["sessions"] = dict([*sessions.items()][-_MOST_SENT:])


_CHATS = Projection(name="bridge_chats", version=1, kinds=KINDS, keys=_keys, step=_step)
