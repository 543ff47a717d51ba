"""The bot: a front end of an open home, like the terminal, for chats that are let in.

A message there is a turn like any other. It is taken in when its turn is durable, under a key that
follows from the message, so that the same update is the same turn, also in another process; the
reply is owed from then on, and brought by whoever holds the home.
"""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.bridges.chats import Owed
from skill_agent.bridges.host_side import HostSide
from skill_agent.errors import Closing, NotFound, SkillAgentError, StoreError
from skill_agent.events import QuestionAnswered, QuestionAsked
from skill_agent.text.redaction import redact
from skill_agent.values import TurnRequest

from .commands import Answer, Commands, parsed
from .decisions import AnswersQuestions, Decisions
from .files import Files, NotTaken, Taken
from .following import Following
from .incoming import Incoming, incoming
from .lanes import Lanes
from .line import Line, LineError, Me, Refused
from .pace import Pace
from .phrases import MENU, say
from .polling import Polling
from .polling import Taken as TakenUpdates
from .rendering import Part, plain_parts
from .sink import TelegramSink

if TYPE_CHECKING:
    from telegram import CallbackQuery, Update

    from skill_agent.workstation import Workstation

_log = logging.getLogger("skill_agent.bots.telegram")


class TelegramBot:
    """One bot of one home; begun once, and ended before the home is closed."""

    def __init__(
        self,
        station: "Workstation",
        token: str,
        side: HostSide,
        *,
        updates: Path,
        questions: AnswersQuestions | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`updates` is the file that remembers what was taken in."""
        self._station, self._settings = station, station.settings.telegram
        self._side = side
        self._pairings, self._chats, self._board = side.pairings, side.chats, side.board
        self._pace = pace or Pace()
        self._me = Me(id=0, username="")
        self._languages: dict[int, str] = {}
        self._wishes: dict[int, str | None] = {}
        """Chats that begin a conversation with somebody they named."""
        self._tasks: list[asyncio.Task[None]] = []
        self._owing: dict[int, dict[str, Owed]] = {}
        """Replies on their way, by chat and turn."""
        self.line = Line(token, self._settings.api_url, self._pace)
        self.sink = TelegramSink(self.line, self._chats, self._pairings)
        self._files = Files(self.line, self._settings.max_file_mb)
        self._decisions = Decisions(
            station,
            self.line,
            chats=self._chats,
            pairings=self._pairings,
            questions=questions,
            language=self._language,
        )
        self._following = Following(
            station,
            self.line,
            self._chats,
            self._pace,
            language=self._language,
            asked=self._decisions.approval,
            settled=self._decisions.approval_settled,
        )
        self._commands = Commands(station, self._chats, cancel=self._cancel, wish=self._wish)
        self._intake = Lanes["Update"](self._take, at_once=self._pace.chats)
        self._replies = Lanes[Owed](self._bring, at_once=self._pace.chats)
        self._polling = Polling(
            self.line,
            taken=TakenUpdates(updates),
            board=self._board,
            pace=self._pace,
            ready=self._ready,
            give=self._give,
        )

    def begin(self) -> None:
        self._pairings.revoked = self._revoked
        self._side.add_sink(self.sink)
        self._tasks = [
            asyncio.create_task(self._polling.run(), name="telegram polling"),
            asyncio.create_task(self._listen(), name="telegram questions"),
        ]

    async def end(self) -> None:
        """What is not brought yet is owed still, to whoever opens the home next."""
        self._side.drop_sink(self.sink.kind)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._intake.close()
        await self._replies.close()
        await self.line.close()
        self._board.set("stopped")

    # -- what comes -------------------------------------------------------------------------

    async def _ready(self, me: Me) -> None:
        """The line stands: the menu, what is owed from before, what waits for an answer."""
        self._me = me
        await self.line.begin({language: [*menu] for language, menu in MENU.items()})
        for owed in await self._chats.owed():
            self._owe(owed)
        await self._decisions.waiting_questions()

    def _give(self, update: "Update") -> None:
        """Into its chat's lane; whoever may not talk has none."""
        message, query = update.message, update.callback_query
        chat = message.chat.id if message else query.from_user.id if query else 0
        if message:
            self.line.saw(chat, message.message_id)
        self._intake.put(chat, update)

    async def _take(self, chat: int, update: "Update") -> None:
        """Takes an update in; one that a closing home did not take comes again."""
        try:
            if update.callback_query is not None:
                await self._pressed(update.callback_query)
            elif update.message is not None:
                said = incoming(update.message, self._me.id, self._me.username)
                if said is not None:
                    await self._hear(said)
        except (Closing, StoreError) as problem:
            _log.warning("a message waits: %s", redact(problem.message))
            await self._polling.back(update.update_id)
            return
        except Exception as problem:  # whatever is in it, it must not come again for ever
            _log.warning("a message was not understood: %s", type(problem).__name__)
        await self._polling.done(update.update_id)
        self._board.note(waiting=self._intake.all_waiting)

    async def _hear(self, said: Incoming) -> None:
        self._languages[said.chat] = said.language
        if said.group:
            if not self._settings.groups or not said.called:
                return
            if not self._pairings.may_talk(str(said.person)):
                return  # whoever else is there hears, and is not heard
            if not self._pairings.may_talk(str(said.chat)):
                self._pairings.stranger(str(said.chat), f"a group, asked for by {said.name}")
                return
        elif not self._pairings.may_talk(str(said.chat)):
            await self._stranger(said)
            return
        await self._obey(said)

    async def _stranger(self, said: Incoming) -> None:
        """One line, and not again for a while; a code lets it in."""
        words = said.words
        if (command := parsed(words, self._me.username)) is not None:
            words = command[1]
        chat = str(said.chat)
        if self._pairings.try_code(chat, said.name, words) == "let in":
            await self._say(said.chat, Answer(say(said.language, "let in")))
            return
        code = self._pairings.stranger(chat, said.name)
        if code is None:
            return
        phrase = "stranger code" if code else "stranger"
        await self._say(said.chat, Answer(say(said.language, phrase, id=chat, code=code)))

    async def _obey(self, said: Incoming) -> None:
        if said.odd:
            await self._say(said.chat, Answer(say(said.language, "odd", kind=said.odd)))
            return
        if said.answers is not None and not said.beside and not said.group:
            told = await self._decisions.replied(said.chat, said.answers, said.words)
            if told is not None:
                await self._say(said.chat, Answer(told))
                return
        command = parsed(said.words, self._me.username)
        if command is not None:
            await self._say(said.chat, await self._commands.run(said, *command))
            return
        try:
            taken = Taken()
            if said.file is not None:
                taken = await self._files.take(said.file, said.language)
            await self._ask(said, taken)
        except NotTaken as refusal:
            await self._say(said.chat, Answer(str(refusal)))
        except LineError as problem:
            await self._say(said.chat, Answer(say(said.language, "went wrong", why=problem)))

    async def _ask(self, said: Incoming, taken: Taken) -> None:
        """Begins the turn; from then on the chat is owed its reply."""
        chat, key = str(said.chat), said.key(self._me.id)
        session = await self._session(said)
        request = TurnRequest(
            said.words,
            session=session,
            agent=None if session else self._first_agent(said.chat),
            interactive=not said.group,
            key=key,
            images=taken.images,
            attachments=(*said.beside, *taken.attachments),
            detach=True,
        )
        try:
            submitted = await self._station.turns.submit(request)
        except (Closing, StoreError):
            raise
        except SkillAgentError as problem:
            told = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
            why = redact(told)
            await self._say(said.chat, Answer(say(said.language, "went wrong", why=why)))
            return
        self._wishes.pop(said.chat, None)
        await self._chats.enter(chat, submitted.session)
        owed = await self._chats.owe(
            chat, turn=submitted.turn, session=submitted.session, asked=said.message
        )
        if owed is not None:
            self._owe(owed)

    async def _session(self, said: Incoming) -> str | None:
        """Where the message goes on: what it replies to, or where the chat is; None where that is
        gone, or nothing was begun."""
        chat = str(said.chat)
        found = None
        if said.answers is not None:
            found = await self._chats.session_of(chat, said.answers)
        found = found or await self._chats.session(chat)
        if found is None:
            return None
        try:
            session = await self._station.conversations.find(found)
        except NotFound:
            return None
        return None if session.archived else session.id

    def _first_agent(self, chat: int) -> str | None:
        return self._wishes.get(chat) or self._settings.agent or None

    async def _pressed(self, query: "CallbackQuery") -> None:
        message = query.message
        if message is None or not query.data:
            return
        chat, person = message.chat.id, query.from_user.id
        self._languages.setdefault(person, (query.from_user.language_code or "")[:2])
        if query.data.startswith("s:") and chat == person and self._pairings.may_talk(str(chat)):
            told = await self._commands.enter(chat, query.data[2:], self._language(chat))
            with contextlib.suppress(LineError):  # too late for Telegram
                await self.line.answer(query.id, told)
            await self._say(chat, Answer(told))
            return
        await self._decisions.pressed(
            query=query.id,
            chat=chat,
            person=person,
            message=message.message_id,
            data=query.data,
        )

    # -- what goes --------------------------------------------------------------------------

    def _owe(self, owed: Owed) -> None:
        chat = int(owed.chat)
        owing = self._owing.setdefault(chat, {})
        if owed.turn in owing:
            return
        owing[owed.turn] = owed
        self._replies.put(chat, owed)

    async def _bring(self, chat: int, owed: Owed) -> None:
        try:
            if self._pairings.may_talk(owed.chat):
                await self._following.bring(chat, owed, several=len(self._owing[chat]) > 1)
        except (LineError, SkillAgentError) as problem:
            _log.warning("a reply is not brought yet: %s", type(problem).__name__)
        finally:
            self._owing.get(chat, {}).pop(owed.turn, None)

    async def _say(self, chat: int, answer: Answer) -> None:
        """Says something of the bot's own, as it is."""
        parts = plain_parts(answer.text) or [Part("…")]
        try:
            for part in parts[:-1]:
                await self.line.surely(lambda one=part: self.line.post(chat, one))
            await self.line.surely(lambda: self.line.post(chat, parts[-1], buttons=answer.buttons))
        except Refused as refused:
            _log.info("a chat takes no messages: %s", type(refused).__name__)

    # -- the rest ---------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Questions come from anywhere, and are shown in every chat of the person."""
        with self._station.turns.subscribe() as events:
            async for event in events:
                try:
                    match event:
                        case QuestionAsked():
                            await self._decisions.question(
                                event.question, event.agent, event.text, event.detail
                            )
                        case QuestionAnswered():
                            await self._decisions.question_settled(event)
                        case _:
                            pass
                except SkillAgentError as problem:
                    _log.warning("a question is not shown: %s", type(problem).__name__)

    async def _cancel(self, chat: int) -> bool:
        """Stops what is worked on for a chat, and what waits behind it."""
        turns = [*self._owing.get(chat, {})]
        stopped = [await self._station.turns.cancel(turn) for turn in reversed(turns)]
        return any(stopped)

    def _wish(self, chat: int, agent: str | None) -> None:
        self._wishes[chat] = agent

    def _revoked(self, chat: str) -> None:
        """What a chat has open ends when it is let in no longer."""
        if not chat.lstrip("-").isdigit():
            return
        self._tasks.append(asyncio.create_task(self._shut(int(chat)), name="telegram revoke"))

    async def _shut(self, chat: int) -> None:
        turns = [*self._owing.get(chat, {})]
        await self._replies.drop(chat)
        for turn in reversed(turns):
            await self._station.turns.cancel(turn)
        for owed in [one for one in await self._chats.owed() if one.chat == str(chat)]:
            await self._chats.sent(
                owed.chat, about=owed.turn, session=None, messages=owed.sent, whole=True
            )

    def _language(self, chat: int) -> str:
        return self._languages.get(chat, "en")
