"""The line to the Bot API: calls in Telegram's pace, with errors that name no address and no token.

Messages of a chat go one after another. One whose connection broke before an answer came may be
there: it is looked for by an edit of the ids that can be its, before it is sent again, so that
nothing is said twice.
"""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from skill_agent.errors import SkillAgentError

from .pace import Pace, doubling
from .rendering import Part, plain_parts

if TYPE_CHECKING:
    from telegram import Bot, InlineKeyboardMarkup, Update

Result = TypeVar("Result")

WANTED = ("message", "callback_query")
"""Kinds of updates that are asked for."""
_LOOKS_AHEAD = 32
"""So many ids beyond the last known one may be those of a message that got lost."""


class LineError(SkillAgentError):
    """Telegram did not do what was asked."""


class WrongToken(LineError):
    """Telegram knows no bot with this token."""


class OtherCopy(LineError):
    """Somebody else polls with the same token."""


class Refused(LineError):
    """It will not do this, however often it is asked."""


class Flooded(LineError):
    """It asks to wait."""

    def __init__(self, after: float) -> None:
        super().__init__(f"Telegram asks to wait {after:.0f} s")
        self.after = after


class Unreachable(LineError):
    """No answer, or one of a server that has trouble of its own."""

    def __init__(self, message: str, *, maybe_done: bool = False) -> None:
        super().__init__(message)
        self.maybe_done = maybe_done


@dataclass(frozen=True, slots=True)
class Button:
    """What can be pressed under a message."""

    label: str
    data: str


Rows = Sequence[Sequence[Button]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """What the bot is called."""

    id: int
    username: str


class Line:
    """The bot's own line; opened, and after a long failure made anew."""

    def __init__(self, token: str, url: str, pace: Pace) -> None:
        self._token, self._url, self._pace = token, url.rstrip("/"), pace
        self._bot: Bot | None = None
        self._chats: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free_at: defaultdict[int, float] = defaultdict(float)
        self._newest: defaultdict[int, int] = defaultdict(int)
        """The last message id known: of all private chats together under 0, of a group its own."""
        self._limiter: Any = None

    async def open(self, *, anew: bool = False) -> Me:
        """Begins, and says who the bot is; with `anew` on other connections."""
        if anew or self._bot is None:
            await self.close()
            self._bot = self._made()
        await self._call(self._bot.initialize())
        found = await self._call(self._bot.get_me())
        return Me(id=found.id, username=found.username or "")

    def _made(self) -> "Bot":
        silence()
        os.environ.setdefault("PTB_TIMEDELTA", "1")  # what it warns of otherwise at each 429
        from aiolimiter import AsyncLimiter
        from telegram import Bot
        from telegram.request import HTTPXRequest

        limit = self._pace.call_s
        self._limiter = AsyncLimiter(self._pace.at_once, 1.0)

        def connections(count: int) -> HTTPXRequest:
            return HTTPXRequest(
                connection_pool_size=count,
                read_timeout=limit,
                write_timeout=limit,
                connect_timeout=limit,
                pool_timeout=limit,
            )

        return Bot(
            self._token,
            base_url=f"{self._url}/bot",
            base_file_url=f"{self._url}/file/bot",
            request=connections(64),
            get_updates_request=connections(2),
        )

    async def close(self) -> None:
        bot, self._bot = self._bot, None
        if bot is not None:
            try:
                await bot.shutdown()
            except Exception:  # it is given up; whatever that breaks, a new one is made
                return

    async def begin(self, commands: dict[str, Sequence[tuple[str, str]]]) -> None:
        """Polling instead of a webhook, what waits stays; and the menu, by language."""
        await self._call(self._at_hand().delete_webhook(drop_pending_updates=False))
        for language, listed in commands.items():
            await self._call(self._at_hand().set_my_commands(listed, language_code=language))

    async def updates(self, offset: int, *, wait_s: float | None = None) -> "tuple[Update, ...]":
        """What came from this number on; all before it is confirmed by asking."""
        waits = self._pace.poll_s if wait_s is None else wait_s
        asked = self._at_hand().get_updates(
            offset=offset or None,
            timeout=int(waits),
            read_timeout=waits + self._pace.call_s,
            allowed_updates=WANTED,
        )
        return await self._call(asked)

    # -- messages ---------------------------------------------------------------------------

    async def post(
        self, chat: int, part: Part, *, buttons: Rows = (), reply_to: int | None = None
    ) -> int:
        """Sends a message and gives its id. Raises a LineError; of one that may be there all the
        same it was made sure that it is not."""
        async with self._turn(chat):
            before = self._newest[_counter(chat)]
            try:
                return await self._send(chat, part, buttons, reply_to)
            except Unreachable as problem:
                if not problem.maybe_done:
                    raise
                found = await self._look_for(chat, part, buttons, before)
                if found is None:
                    raise
                return found

    async def edit(self, chat: int, message: int, part: Part, *, buttons: Rows = ()) -> None:
        async with self._turn(chat):
            await self._change(chat, message, part, buttons)

    async def delete(self, chat: int, message: int) -> None:
        async with self._turn(chat):
            await self._call(self._at_hand().delete_message(chat, message))

    async def surely(
        self, act: Callable[[], Awaitable[Result]], *, tries: int | None = None
    ) -> Result:
        """Does it as soon as Telegram lets it happen; raises Refused, WrongToken, and after so many
        tries whatever stood in the way."""
        failures = 0
        while True:
            try:
                return await act()
            except (Flooded, Unreachable, OtherCopy) as problem:
                failures += 1
                if tries is not None and failures >= tries:
                    raise
                wait = doubling(self._pace.retry_s, self._pace.most_retry_s, failures)
                if isinstance(problem, Flooded):
                    wait = problem.after
            await asyncio.sleep(wait)

    async def typing(self, chat: int) -> None:
        await self._call(self._at_hand().send_chat_action(chat, "typing"))

    async def answer(self, query: str, text: str = "") -> None:
        """Tells who pressed a button."""
        await self._call(self._at_hand().answer_callback_query(query, text=text[:200] or None))

    async def fetch(self, file: str, most: int) -> bytes:
        """A file's content; raises Refused for one that is larger."""
        found = await self._call(self._at_hand().get_file(file))
        if (found.file_size or 0) > most:
            raise Refused(f"the file has more than {most // 1_000_000} MB")
        content = bytes(await self._call(found.download_as_bytearray()))
        if len(content) > most:
            raise Refused(f"the file has more than {most // 1_000_000} MB")
        return content

    def saw(self, chat: int, message: int) -> None:
        """A message that came from there."""
        counter = _counter(chat)
        self._newest[counter] = max(self._newest[counter], message)

    def free_in(self, chat: int) -> float:
        """Seconds until the chat takes something again."""
        return max(0.0, self._free_at[chat] - time.monotonic())

    # -- how --------------------------------------------------------------------------------

    @asynccontextmanager
    async def _turn(self, chat: int) -> AsyncIterator[None]:
        """One message of a chat at a time, in its pace."""
        pace = self._pace
        async with self._chats[chat]:
            await asyncio.sleep(self.free_in(chat))
            if self._limiter is not None:
                await self._limiter.acquire()
            between = pace.between_in_groups_s if chat < 0 else pace.between_s
            try:
                yield
            except Flooded as flooded:
                between = max(between, flooded.after)
                raise
            finally:
                self._free_at[chat] = time.monotonic() + between

    async def _send(self, chat: int, part: Part, buttons: Rows, reply_to: int | None) -> int:
        from telegram import ReplyParameters

        reply = None
        if reply_to is not None:
            reply = ReplyParameters(reply_to, allow_sending_without_reply=True)
        sent = await self._with_entities(
            part,
            lambda text, entities: self._at_hand().send_message(
                chat,
                text,
                entities=entities,
                reply_markup=_keyboard(buttons),
                reply_parameters=reply,
                disable_web_page_preview=True,
            ),
        )
        self.saw(chat, sent.message_id)
        return sent.message_id

    async def _change(self, chat: int, message: int, part: Part, buttons: Rows) -> None:
        try:
            await self._with_entities(
                part,
                lambda text, entities: self._at_hand().edit_message_text(
                    text,
                    chat,
                    message,
                    entities=entities,
                    reply_markup=_keyboard(buttons),
                    disable_web_page_preview=True,
                ),
            )
        except Refused as refused:
            if "not modified" not in refused.message.lower():
                raise

    async def _with_entities(self, part: Part, act: Callable[[str, Any], Awaitable[Any]]) -> Any:
        """With the entities, or without where they are refused: the words arrive."""
        from telegram import MessageEntity

        entities = [MessageEntity(**one) for one in part.entities]
        try:
            return await self._call(act(part.text, entities or None))
        except Refused as refused:
            if not entities or "entit" not in refused.message.lower():
                raise
        return await self._call(act(part.text, None))

    async def _look_for(self, chat: int, part: Part, buttons: Rows, before: int) -> int | None:
        """The message that may have been sent: the ids of a bot's messages follow one another, and
        only its own can be edited. Raises LineError where nothing can be found out."""
        last = max(self._newest[_counter(chat)], before)
        for candidate in range(before + 1, last + _LOOKS_AHEAD + 1):
            try:
                await self.surely(lambda at=candidate: self._change(chat, at, part, buttons))
            except Refused:
                continue
            self.saw(chat, candidate)
            return candidate
        return None

    def _at_hand(self) -> "Bot":
        if self._bot is None:
            raise Unreachable("there is no line to Telegram now")
        return self._bot

    async def _call(self, calling: Awaitable[Result]) -> Result:
        """Its result; raises a LineError in words that hold neither token nor address."""
        from telegram.error import (
            BadRequest,
            ChatMigrated,
            Conflict,
            Forbidden,
            InvalidToken,
            NetworkError,
            RetryAfter,
            TelegramError,
        )

        try:
            return await calling
        except InvalidToken:
            raise WrongToken("Telegram knows no bot with this token") from None
        except Conflict:
            raise OtherCopy("another copy of the bot runs with the same token") from None
        except RetryAfter as error:
            raise Flooded(_seconds(error.retry_after)) from None
        except (BadRequest, Forbidden, ChatMigrated) as error:
            raise Refused(self._masked(error.message)) from None
        except NetworkError as error:
            raise _network(error, self._masked(error.message)) from None
        except TelegramError as error:
            raise Unreachable(self._masked(error.message)) from None

    def _masked(self, text: str) -> str:
        return text.replace(self._token, "[token]").replace(self._url, "[api]")


def plain_part(text: str) -> Part:
    """A short text of ours as it is."""
    return (plain_parts(text) or [Part("…")])[0]


def silence() -> None:
    """The libraries below write addresses, in which the token stands, into their logs."""
    import logging

    for name in ("httpx", "httpcore", "telegram", "aiolimiter"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.CRITICAL + 1)
        logger.propagate = False


def _network(error: Exception, told: str) -> Unreachable:
    """A connection that was never made carried nothing; neither did one whose answer is a 5xx."""
    import httpx

    cause = error.__cause__
    never = isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    maybe = isinstance(cause, httpx.HTTPError) and not never
    kind = type(cause).__name__ if cause is not None else told
    return Unreachable(f"Telegram cannot be reached: {kind}", maybe_done=maybe)


def _seconds(found: Any) -> float:
    return float(found.total_seconds() if hasattr(found, "total_seconds") else found)


def _counter(chat: int) -> int:
    return min(chat, 0)


def _keyboard(rows: Rows) -> "InlineKeyboardMarkup | None":
    if not rows:
        return None
    from telegram import InlineKeyboardButton, InlineKeyboardMarkup

    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(one.label, callback_data=one.data) for one in row] for row in rows]
    )
