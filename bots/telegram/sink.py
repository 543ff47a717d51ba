"""What the home tells unasked, brought to chats of its person; its receipt are the messages."""

import logging
from typing import TYPE_CHECKING

from skill_agent.bridges.chats import Chats
from skill_agent.bridges.pairing import Pairings
from skill_agent.errors import NotDelivered, UsageError
from skill_agent.values import InboxItem

from .line import Flooded, Line, LineError, Refused
from .rendering import parts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRIES = 3

_log = logging.getLogger("skill_agent.bots.telegram")


class TelegramSink:
    """`telegram` is every private chat that is let in, `telegram:CHAT` one."""

    kind = "telegram"

    def __init__(self, line: Line, chats: Chats, pairings: Pairings) -> None:
        self._line, self._chats, self._pairings = line, chats, pairings

    def check(self, address: str) -> None:
        """Raises UsageError for what is no id of a chat that is let in."""
        if address and not address.lstrip("-").isdigit():
            raise UsageError(
                f"{address[:40]!r} is no chat's id", hint="telegram, or telegram:ID of ska telegram"
            )
        if address and not self._pairings.may_talk(address):
            raise UsageError(f"chat {address} is not let in", hint="ska telegram list")

    def missing(self, address: str) -> str:
        return "" if address or self._private() else "no chat is let in: ska telegram pair"

    async def send(self, item: InboxItem, address: str) -> str:
        """Chats that have it already are left out when it is tried again; raises NotDelivered."""
        chats = [address] if address else self._private()
        if not chats:
            raise NotDelivered("no chat is let in", hint="ska telegram pair", again=False)
        if address and item.private and address.startswith("-"):
            raise NotDelivered("it is private, and the chat is a group", again=False)
        receipts, problem = list[str](), None
        for chat in chats:
            try:
                sent = await self._sent(item, chat)
            except LineError as error:
                problem = error
            else:
                receipts += [f"{chat}/{message}" for message in sent]
        if problem is not None:
            after = problem.after if isinstance(problem, Flooded) else None
            again = not isinstance(problem, Refused)
            if again or not receipts:
                raise NotDelivered(problem.message, again=again, after_s=after)
        return ",".join(receipts)

    def _private(self) -> "Sequence[str]":
        return [one for one in self._pairings.let_in if not one.startswith("-")]

    async def _sent(self, item: InboxItem, chat: str) -> tuple[int, ...]:
        if before := await self._chats.carried(chat, item.id):
            return before
        text = f"**{item.title}**\n\n{item.text}" if item.title else item.text
        messages: list[int] = []
        for part in parts_of(text):
            message = await self._line.surely(
                lambda one=part: self._line.post(int(chat), one), tries=_TRIES
            )
            messages.append(message)
        await self._chats.sent(
            chat, about=item.id, session=item.session, messages=messages, whole=True
        )
        return (*messages,)
