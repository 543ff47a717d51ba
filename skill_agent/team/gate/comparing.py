"""The agents of a home made comparable, and made anew whenever they, their skills or the embedder
change; what is embedded is kept on disk."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import ModelUnavailable
from skill_agent.skills.book import SkillBook
from skill_agent.skills.requests import requests_stamp
from skill_agent.text.beside import parted
from skill_agent.text.kinds import kind_of
from skill_agent.tools.gate.kept import KeptVectors
from skill_agent.tools.gate.ngrams import folded
from skill_agent.values import Skill, TurnRequest

from .agent_texts import AgentTexts, digest_of, texts_of
from .personality_fit import Manner, manner_of
from .skill_match import Matches, SkillMatch
from .trades import Trades, trades_learned

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

_BESIDE = 300
"""Characters of what came beside the words; the words are read first."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is read of a message to find out whom it is for."""

    text: str
    idle: float
    """How likely it wants nobody's work."""
    chat: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A message beside the agents of a team."""

    team: Sequence[AgentTexts]
    match: SkillMatch
    matches: Matches
    manner: Manner
    vector: "np.ndarray | None"


def subject_of(request: TurnRequest) -> Subject:
    """Of a message its words, and the beginning of what came with them."""
    parts = parted(request.text)
    beside = [parts.beside, *(one.text for one in request.attachments)]
    matter = "\n".join(one[:_BESIDE] for one in beside if one.strip())
    chances = kind_of(parts.words).chances if parts.words.strip() else None
    if chances is None:
        return Subject(text=matter, idle=0.0, chat=0.0)
    idle = chances["chat"] + chances["keep"] + chances["ask_me"] + 0.5 * chances["tell"]
    if matter:
        return Subject(text=f"{parts.words[:_BESIDE]}\n{matter}", idle=0.0, chat=chances["chat"])
    return Subject(text=parts.words, idle=idle, chat=chances["chat"])


@dataclass(slots=True, kw_only=True)
class Comparing:
    """Compares messages with agents. Without an embedder it goes by letters alone."""

    skills: SkillBook
    embedder: "Callable[[], Embedder] | None"
    folder: Path | None
    """Where vectors are kept; None keeps none."""
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _found: "Embedder | None" = None
    _trades: Trades | None = None
    _trades_of: str = ""
    _made: tuple[str, SkillMatch] | None = None

    async def compared(self, subject: Subject, agents: Sequence[AgentDNA]) -> Compared:
        """The work is done in a thread; learning and embedding the team only when it changed."""
        async with self._lock:
            match = await asyncio.to_thread(self._ready, agents)
        return await asyncio.to_thread(self._compared, subject, match)

    def loaded(self) -> "Embedder | None":
        """The embedder messages are compared by, once there is one."""
        return self._found

    def _compared(self, subject: Subject, match: SkillMatch) -> Compared:
        trades = self._trades
        assert trades is not None
        vector = None
        if self._found is not None:
            vector = self._found.embed([folded(subject.text)])[0]
        matches = match.matches(subject.text, vector, idle=subject.idle)
        manner = manner_of(subject.chat, matches.heard, trades.names)
        return Compared(
            team=match.team, match=match, matches=matches, manner=manner, vector=vector
        )

    def _ready(self, agents: Sequence[AgentDNA]) -> SkillMatch:
        """Blocking."""
        known = {one.name: one for one in self.skills.skills_lately()}
        team = [texts_of(dna, known) for dna in agents]
        embedder = self._embedder()
        had = sorted({name for one in team for name in one.skills})
        skills = [known[name] for name in had]
        stamps = [(name, requests_stamp(known[name])) for name in had]
        learned = f"{embedder.name if embedder else ''} {stamps}"
        state = f"{learned} {digest_of(team)}"
        if self._made is None or self._made[0] != state:
            self._made = state, self._learned(team, embedder, skills, learned)
        return self._made[1]

    def _learned(
        self,
        team: Sequence[AgentTexts],
        embedder: "Embedder | None",
        skills: Sequence[Skill],
        state: str,
    ) -> SkillMatch:
        try:
            if self._trades is None or self._trades_of != state:
                kept = self._keeping(embedder, "trades.vectors")
                self._trades, self._trades_of = trades_learned(kept, skills), state
                self._found = embedder
            return SkillMatch(team, self._trades, self._keeping(embedder, "agents.vectors"))
        except ModelUnavailable as problem:
            if embedder is None:
                raise
            _log.warning("agents are compared by letters alone: %s", problem.message)
            self._trades, self._trades_of = trades_learned(None, skills), state
            self._found = None
            return SkillMatch(team, self._trades, None)

    def _keeping(self, embedder: "Embedder | None", file: str) -> "Embedder | None":
        if embedder is None or self.folder is None:
            return embedder
        return KeptVectors(embedder, self.folder / file)

    def _embedder(self) -> "Embedder | None":
        """Asked for again while there is none: it may be fetched while the home is open."""
        if self._found is not None:
            return self._found
        found = self.embedder() if self.embedder else None
        return found if found is not None and found.dimensions > 1 else None
