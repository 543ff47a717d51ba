"""A person's message that is for a colleague, passed on as a task; what comes back is told as
theirs, by code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from skill_agent.agents.directory import AgentDirectory
from skill_agent.agents.dna import AgentDNA
from skill_agent.conversations.client_context import pasted_in
from skill_agent.errors import SkillAgentError
from skill_agent.ports import Ledger
from skill_agent.team.tasks.tasks import RunsTasks
from skill_agent.text.language import Language
from skill_agent.text.shaping import one_line
from skill_agent.turns.colleagues.hearing import heard_in
from skill_agent.turns.colleagues.nearby import Errand, Passed, Turning
from skill_agent.values import Message, NewTask, Origin, all_origins

from .asking import words_of

BEFORE = 2_000
"""Characters of what was said before that go along where nothing came with the message."""
_TITLE = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class PassesOn:
    """Runs a message as a colleague's task."""

    ledger: Ledger
    directory: AgentDirectory
    tasks: RunsTasks

    async def run(
        self,
        turning: Turning,
        errand: Errand,
        message: Message,
        language: Language | None,
    ) -> Passed:
        """What keeps a task from being done is told, too."""
        colleague = self.directory.get(errand.to)
        words = words_of(language)
        try:
            task = await self.tasks.run(await self._task(turning, errand, message))
        except SkillAgentError as problem:
            return Passed(text=_failed(words, colleague, problem.message))
        origins = all_origins(("agent",), task.origins)
        if task.status != "completed":
            why = task.error or task.status.replace("_", " ")
            return Passed(text=_failed(words, colleague, why), origins=origins)
        if not task.result.strip():
            return Passed(text=words["silent"].format(name=colleague.name), origins=origins)
        return Passed(text=_said(words["says"], colleague, task.result), origins=origins)

    async def _task(self, turning: Turning, errand: Errand, message: Message) -> NewTask:
        context, origins = await self._context(turning, errand, message)
        return NewTask(
            assigned_to=errand.to,
            instructions=errand.what,
            title=one_line(errand.what, _TITLE),
            context=context,
            created_by="person",
            parent_turn=turning.turn,
            conversation=turning.session,
            origins=origins,
            interactive=turning.request.interactive,
            requester=turning.request.requester,
        )

    async def _context(
        self, turning: Turning, errand: Errand, message: Message
    ) -> tuple[str, tuple[Origin, ...]]:
        """What came with the message, with those who wrote it; where nothing did, what was said
        last, as far as the colleague may know it."""
        sent = message.client_context
        texts = [one.text for one in sent.attachments] if sent else []
        texts = [one for one in (pasted_in(message), *texts) if one.strip()]
        if texts:
            return "\n\n".join(texts), message.origins
        earlier = await self.ledger.messages(turning.session)
        before = [one for one in earlier if one.turn != message.turn]
        heard = await heard_in(self.ledger, errand.to, before)
        said = [one for one in heard if one.role in ("user", "assistant") and one.content.strip()]
        return _told(said[-2:]), all_origins(*(one.origins for one in said[-2:]))


def _told(messages: Sequence[Message]) -> str:
    told = "\n\n".join(
        f"{'User' if one.role == 'user' else one.agent or 'Assistant'}: {one.content}"
        for one in messages
    )
    return told if len(told) <= BEFORE else f"…{told[-BEFORE:]}"


def _failed(words: Mapping[str, str], colleague: AgentDNA, problem: str) -> str:
    return words["failed"].format(name=colleague.name, problem=problem)


def _said(form: str, colleague: AgentDNA, text: str) -> str:
    """The answer under the colleague's name; one that signs itself is not named twice."""
    text = text.strip()
    if text.casefold().startswith(f"{colleague.name.casefold()}:"):
        return text
    return form.format(name=colleague.name, text=text)
