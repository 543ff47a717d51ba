"""What waits for a person, with buttons: approvals in the chat whose turn asks, questions in every
chat of the person. Answered once; whoever presses later is told so.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from skill_agent.bridges.chats import Chats
from skill_agent.bridges.pairing import Pairings
from skill_agent.errors import SkillAgentError
from skill_agent.events import ApprovalAnswered, ApprovalAsked, Choice, QuestionAnswered
from skill_agent.text.attachments import writers
from skill_agent.text.decisions import hosts_in, in_a_row, in_one_line, tail_of, value_lines
from skill_agent.values import Question

from .line import Button, Line, LineError, Rows
from .phrases import say
from .rendering import Part, plain_parts

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_CHOICES: dict[str, Choice] = {"o": "once", "a": "always", "d": "deny"}
_ACTIONS = {"p": "proceed", "r": "revise", "c": "cancel"}
_BY = "telegram"

_log = logging.getLogger("skill_agent.bots.telegram")


class AnswersQuestions(Protocol):
    """Where questions wait."""

    async def list(self, *, waiting: bool = True) -> list[Question]: ...

    async def answer(self, question: str, words: str, *, by: str = "person") -> Question: ...


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where a decision was asked for: the message with the buttons, and what it says."""

    chat: int
    message: int
    part: Part


class Decisions:
    """Asks by buttons."""

    def __init__(
        self,
        station: "Workstation",
        line: Line,
        *,
        chats: Chats,
        pairings: Pairings,
        questions: AnswersQuestions | None,
        language: Callable[[int], str],
    ) -> None:
        self._station, self._line, self._chats = station, line, chats
        self._pairings, self._questions, self._language = pairings, questions, language
        self._asked: dict[str, list[_Shown]] = {}
        """By approval or question."""

    # -- approvals --------------------------------------------------------------------------

    async def approval(self, chat: int, event: ApprovalAsked) -> None:
        """Shows the whole call and the rule that "always" would store."""
        language = self._language(chat)
        text = "\n".join(_approval_lines(event, language))
        labels = (("o", "once"), ("a", "always"), ("d", "deny"))
        buttons = [
            [Button(say(language, name), f"a:{event.approval}:{sign}") for sign, name in labels]
        ]
        await self._show(chat, event.approval, text, buttons)

    async def approval_settled(self, event: ApprovalAnswered) -> None:
        for shown in self._asked.pop(event.approval, ()):
            language = self._language(shown.chat)
            choice = say(language, event.choice)
            await self._close(shown, say(language, "answered", choice=choice, by=event.by))

    # -- questions --------------------------------------------------------------------------

    async def waiting_questions(self) -> None:
        """Shows what waits and was not shown yet, say after a restart."""
        if self._questions is None:
            return
        for one in await self._questions.list(waiting=True):
            await self.question(one.id, one.agent, one.text, one.detail)

    async def question(self, question: str, agent: str, text: str, detail: str) -> None:
        for chat in map(int, self._pairings.let_in):
            if chat < 0 or await self._chats.carried(str(chat), question):
                continue
            language = self._language(chat)
            who = agent or say(language, "a job")
            told = "\n\n".join(filter(None, (say(language, "asks", agent=who, text=text), detail)))
            names = (("p", "proceed"), ("r", "revise"), ("c", "cancel"))
            row = [Button(say(language, name), f"q:{question}:{sign}") for sign, name in names]
            shown = await self._show(chat, question, told, [row])
            if shown is not None:
                await self._chats.sent(
                    str(chat), about=question, session=None, messages=(shown.message,), whole=True
                )

    async def question_settled(self, event: QuestionAnswered) -> None:
        for shown in self._asked.pop(event.question, ()):
            language = self._language(shown.chat)
            choice = say(language, event.action)
            await self._close(shown, say(language, "answered", choice=choice, by=event.by))

    async def replied(self, chat: int, message: int, words: str) -> str | None:
        """Words that answer a question's message; what to say to that, None where it is none."""
        question = await self._chats.about(str(chat), message)
        if question is None or self._questions is None:
            return None
        language = self._language(chat)
        try:
            await self._questions.answer(question, words, by=_BY)
        except SkillAgentError as problem:
            return problem.message + (f" ({problem.hint})" if problem.hint else "")
        return say(language, "answered", choice=words[:40], by=_BY)

    # -- buttons ----------------------------------------------------------------------------

    async def pressed(self, *, query: str, chat: int, person: int, message: int, data: str) -> None:
        """Only in one's own chat, and by whoever may talk."""
        language = self._language(chat)
        if chat != person or not self._pairings.may_talk(str(chat)):
            await self._tell(query, say(language, "not yours"))
            return
        kind, _, rest = data.partition(":")
        about, _, sign = rest.rpartition(":")
        if kind == "a" and sign in _CHOICES:
            told = await self._answer_approval(chat, message, about, _CHOICES[sign])
        elif kind == "q" and sign in _ACTIONS:
            told = await self._answer_question(language, about, sign)
        else:
            told = None
        await self._tell(query, say(language, "stale") if told is None else told)

    async def _answer_approval(
        self, chat: int, message: int, approval: str, choice: Choice
    ) -> str | None:
        here = any(
            (one.chat, one.message) == (chat, message) for one in self._asked.get(approval, ())
        )
        if here and await self._station.approvals.answer(approval, choice, by=_BY):
            return ""
        await self._without_buttons(chat, message, approval)
        return None

    async def _answer_question(self, language: str, question: str, sign: str) -> str | None:
        if self._questions is None:
            return None
        if sign == "r":
            return say(language, "how to revise")
        try:
            await self._questions.answer(question, _ACTIONS[sign], by=_BY)
        except SkillAgentError:
            return None
        return ""

    async def _show(self, chat: int, about: str, text: str, buttons: Rows) -> _Shown | None:
        """In as many messages as it takes, the buttons under the last."""
        parts = plain_parts(text)
        try:
            for part in parts[:-1]:
                await self._line.surely(lambda one=part: self._line.post(chat, one))
            message = await self._line.surely(
                lambda: self._line.post(chat, parts[-1], buttons=buttons)
            )
        except LineError as problem:  # it can be answered elsewhere, or has its safe answer
            _log.warning("a decision could not be shown: %s", type(problem).__name__)
            return None
        shown = _Shown(chat, message, parts[-1])
        self._asked.setdefault(about, []).append(shown)
        return shown

    async def _close(self, shown: _Shown, outcome: str) -> None:
        """Takes the buttons away and says what was decided."""
        part = plain_parts(f"{shown.part.text}\n\n{outcome}")
        last = part[0] if len(part) == 1 else shown.part
        try:
            await self._line.edit(shown.chat, shown.message, last)
        except LineError:
            return  # a press on them is told that they are stale

    async def _without_buttons(self, chat: int, message: int, about: str) -> None:
        for shown in self._asked.get(about, ()):
            if (shown.chat, shown.message) == (chat, message):
                await self._close(shown, say(self._language(chat), "stale"))

    async def _tell(self, query: str, text: str) -> None:
        try:
            await self._line.answer(query, text)
        except LineError:
            return  # too late for Telegram, and done all the same


def _approval_lines(event: ApprovalAsked, language: str) -> Iterator[str]:
    """All that is asked; values of several lines stand behind a bar, so that none passes for
    ours."""
    hosts = hosts_in(event.arguments)
    reached = f" → {hosts}" if hosts else ""
    agent, tool = in_one_line(event.agent), in_one_line(event.tool)
    yield say(language, "wants", agent=agent, tool=tool) + reached
    if event.chain:
        yield say(language, "asked by", chain=in_a_row(event.chain))
    for name, value in event.arguments.items():
        yield from _value_lines(name, value)
    if event.reason:
        yield say(language, "why", why=in_one_line(event.reason))
    if event.origins:
        yield say(language, "in conversation", writers=writers(event.origins))
    yield say(language, "always stores", rule=in_one_line(event.rule))


def _value_lines(name: str, value: object) -> Sequence[str]:
    first, *more = value_lines(value)
    told = in_one_line(name)
    lines = [f"{told} =", *(f"│ {line}" for line in (first, *more))] if more else []
    lines = lines or [f"{told} = {first}"]
    return [*lines, f"({tail})"] if (tail := tail_of(value)) else lines
