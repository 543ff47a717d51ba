"""What begins with a slash: looked up or done at once, without a model."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from skill_agent.bridges.chats import Chats
from skill_agent.errors import NotFound, SkillAgentError
from skill_agent.text.clock import minute_of
from skill_agent.values import Job, NewMemory, Search

from .incoming import Incoming
from .line import Button, Rows
from .phrases import MENU, say

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

_SHOWN = 10
_LONGEST = 200
"""Characters of one line of a listing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says: Markdown, or plain with buttons below."""

    text: str
    buttons: Rows = ()


def parsed(words: str, username: str) -> tuple[str, str] | None:
    """The command and what follows it; None for what is none, or is for another bot."""
    if not words.startswith("/"):
        return None
    head, _, rest = words[1:].partition(" ")
    if "\n" in head:
        head, _, more = head.partition("\n")
        rest = f"{more} {rest}"
    name, _, bot = head.partition("@")
    if bot and bot.lower() != username.lower():
        return None
    return (name.lower(), rest.strip()) if name.replace("_", "").isalnum() else None


class Commands:
    """The commands of one home."""

    def __init__(
        self,
        station: "Workstation",
        chats: Chats,
        *,
        cancel: Callable[[int], Awaitable[bool]],
        wish: Callable[[int, str | None], None],
    ) -> None:
        """`cancel` stops what is worked on in a chat, `wish` keeps with whom its next conversation
        is to begin."""
        self._station, self._chats, self._cancel, self._wish = station, chats, cancel, wish
        self._by_name: dict[str, Callable[[Incoming, str], Awaitable[Answer]]] = {
            "start": self._help,
            "help": self._help,
            "agents": self._agents,
            "new": self._new,
            "sessions": self._sessions,
            "remember": self._remember,
            "memory": self._memory,
            "jobs": self._jobs,
            "inbox": self._inbox,
            "cancel": self._stop,
        }

    async def run(self, said: Incoming, name: str, rest: str) -> Answer:
        """Whatever goes wrong is the answer."""
        act = self._by_name.get(name)
        if act is None:
            return Answer(say(said.language, "unknown command", command=f"/{name[:40]}"))
        try:
            return await act(said, rest)
        except SkillAgentError as problem:
            told = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
            return Answer(say(said.language, "went wrong", why=told))

    async def enter(self, chat: int, session: str, language: str) -> str:
        """Goes on with a conversation that was chosen by its button."""
        try:
            found = await self._station.conversations.find(session)
        except NotFound as problem:
            return problem.message
        await self._chats.enter(str(chat), found.id)
        return say(language, "entered", title=found.title or found.id)

    async def _help(self, said: Incoming, _: str) -> Answer:
        menu = MENU.get(said.language, MENU[""])
        lines = [f"/{name} {what}" for name, what in menu]
        return Answer("\n".join([say(said.language, "help"), "", *lines]))

    async def _agents(self, said: Incoming, _: str) -> Answer:
        found = await self._station.agents.list()
        lines = [
            f"@{one.slug} {one.name}: {one.tagline}".rstrip(": ")
            + ("" if one.status == "active" else f" ({one.status})")
            for one in found
        ]
        return _listed(lines, say(said.language, "no agents"))

    async def _new(self, said: Incoming, rest: str) -> Answer:
        agent = None
        if rest:
            agent = (await self._station.agents.get(rest.lstrip("@"))).slug
        await self._chats.enter(str(said.chat), None)
        self._wish(said.chat, agent)
        if agent is None:
            return Answer(say(said.language, "new"))
        return Answer(say(said.language, "new with", agent=agent))

    async def _sessions(self, said: Incoming, rest: str) -> Answer:
        if rest:
            return Answer(await self.enter(said.chat, rest, said.language))
        found = await self._station.conversations.list(limit=_SHOWN)
        if not found:
            return Answer(say(said.language, "no sessions"))
        rows = [[Button(_short(one.title or one.id, 60), f"s:{one.id}")] for one in found]
        return Answer(say(said.language, "sessions"), rows)

    async def _remember(self, said: Incoming, rest: str) -> Answer:
        if not rest:
            return Answer(say(said.language, "nothing to remember"))
        key = str(uuid5(NAMESPACE_URL, f"telegram-remember:{said.chat}:{said.message}"))
        kept = await self._station.memory.add(NewMemory(rest, key=key, reason="telegram"))
        return Answer(say(said.language, "remembered", text=kept.content))

    async def _memory(self, said: Incoming, rest: str) -> Answer:
        if rest:
            hits = await self._station.memory.search(Search(rest, limit=_SHOWN, kinds=("memory",)))
            lines = [_dotted(one.memory.content) for one in hits if one.memory]
        else:
            from skill_agent.values import MemoryFilter

            listed = await self._station.memory.list(MemoryFilter(limit=_SHOWN))
            lines = [_dotted(one.content) for one in listed]
        return _listed(lines, say(said.language, "no memory"))

    async def _jobs(self, said: Incoming, _: str) -> Answer:
        found = await self._station.jobs.list()
        lines = [_dotted(_job_line(one)) for one in found[:_SHOWN]]
        return _listed(lines, say(said.language, "no jobs"))

    async def _inbox(self, said: Incoming, _: str) -> Answer:
        found = await self._station.inbox.list(limit=_SHOWN)
        lines = [_dotted(f"{minute_of(one.created_at)} {one.title}: {one.text}") for one in found]
        return _listed(lines, say(said.language, "no inbox"))

    async def _stop(self, said: Incoming, _: str) -> Answer:
        stopped = await self._cancel(said.chat)
        return Answer(say(said.language, "cancelled" if stopped else "nothing runs"))


def _job_line(job: Job) -> str:
    following = f", {minute_of(job.next_run)}" if job.next_run else ""
    return f"{job.name} ({job.status}{following})"


def _listed(lines: Sequence[str], otherwise: str) -> Answer:
    return Answer("\n".join(lines) or otherwise)


def _dotted(text: str) -> str:
    return f"• {_short(text, _LONGEST)}"


def _short(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else flat[: most - 1] + "…"
