"""The agents of a home made comparable, and made anew whenever they, their skills or the embedder
change; what is embedded is kept on disk."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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

PATIENCE_S = 1.5
"""A message waits so long for the examples to be learned; only the first one of a home has to."""
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
    embedder: "Embedder | None"
    """By which it was made a vector."""


def subject_of(request: TurnRequest) -> Subject:
    """Of a message the typed words alone: what others wrote beside them addresses nobody."""
    parts = parted(request.text)
    if not parts.words.strip():
        return Subject(text="", idle=0.0, chat=0.0)
    chances = kind_of(parts.words).chances
    idle = chances["chat"] + chances["keep"] + chances["ask_me"] + 0.5 * chances["tell"]
    beside = parts.beside.strip() or any(one.text.strip() for one in request.attachments)
    return Subject(text=parts.words, idle=0.0 if beside else idle, chat=chances["chat"])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What is to be compared, and by what."""

    team: Sequence[AgentTexts]
    skills: Sequence[Skill]
    embedder: "Embedder | None"
    learned: str
    """Another one where examples have to be learned again …"""
    state: str
    """… or the team made comparable again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A team made comparable."""

    state: str
    trades: Trades
    match: SkillMatch
    embedder: "Embedder | None"


class Comparing:
    """Compares messages with agents. Without an embedder it goes by letters alone, and so it does
    while one takes long over the examples for the first time."""

    def __init__(
        self,
        *,
        skills: SkillBook,
        embedder: "Callable[[], Embedder] | None",
        folder: Path | None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        """Vectors are kept in `folder`, where that is one."""
        self._skills, self._embedder, self._folder = skills, embedder, folder
        self._patience_s = patience_s
        self._lock = asyncio.Lock()
        self._found: Embedder | None = None
        self._trades: dict[str, Trades] = {}
        """The newest of each way of comparing."""
        self._made: _Ready | None = None
        self._letters: _Ready | None = None
        self._learning: tuple[str, asyncio.Task[_Ready]] | None = None

    async def compared(self, subject: Subject, agents: Sequence[AgentDNA]) -> Compared:
        """The work is done in threads; learning and embedding the team only when it changed."""
        async with self._lock:
            wanted = await asyncio.to_thread(self._wanted, agents)
            ready = await self._ready(wanted)
        return await asyncio.to_thread(_compared, subject, ready)

    async def warm(self, agents: Sequence[AgentDNA]) -> None:
        """Learns ahead of the first message, however long it takes."""
        wanted = await asyncio.to_thread(self._wanted, agents)
        await asyncio.shield(self._begun(wanted))

    async def _ready(self, wanted: _Wanted) -> _Ready:
        if self._made is not None and self._made.state == wanted.state:
            return self._made
        learning = self._begun(wanted)
        done, _ = await asyncio.wait({learning}, timeout=self._patience_s)
        if done:
            self._made, self._learning = learning.result(), None
            return self._made
        plain = replace(wanted, embedder=None, learned=f"letters {wanted.learned}")
        if self._letters is None or self._letters.state != plain.state:
            self._letters = await asyncio.to_thread(self._learned, plain)
        return self._letters

    def _begun(self, wanted: _Wanted) -> "asyncio.Task[_Ready]":
        if self._learning is None or self._learning[0] != wanted.state:
            work = asyncio.to_thread(self._learned, wanted)
            self._learning = wanted.state, asyncio.create_task(work, name="learning of agents")
        return self._learning[1]

    def _wanted(self, agents: Sequence[AgentDNA]) -> _Wanted:
        """Blocking."""
        known = {one.name: one for one in self._skills.skills_lately()}
        team = [texts_of(dna, known) for dna in agents]
        had = sorted({name for one in team for name in one.skills})
        embedder = self._one()
        stamps = [(name, requests_stamp(known[name])) for name in had]
        learned = f"{embedder.name if embedder else ''} {stamps}"
        return _Wanted(
            team=team,
            skills=[known[name] for name in had],
            embedder=embedder,
            learned=learned,
            state=f"{learned} {digest_of(team)}",
        )

    def _learned(self, wanted: _Wanted) -> _Ready:
        """Blocking. An embedder that cannot be loaded is done without."""
        try:
            return self._made_by(wanted.embedder, wanted)
        except ModelUnavailable as problem:
            if wanted.embedder is None:
                raise
            _log.warning("agents are compared by letters alone: %s", problem.message)
            return self._made_by(None, wanted)

    def _made_by(self, embedder: "Embedder | None", wanted: _Wanted) -> _Ready:
        key = f"{embedder is None} {wanted.learned}"
        if key not in self._trades:
            kept = self._keeping(embedder, "trades.vectors")
            self._trades = {key: trades_learned(kept, wanted.skills)}
        trades = self._trades[key]
        match = SkillMatch(wanted.team, trades, self._keeping(embedder, "agents.vectors"))
        return _Ready(state=wanted.state, trades=trades, match=match, embedder=embedder)

    def _keeping(self, embedder: "Embedder | None", file: str) -> "Embedder | None":
        if embedder is None or self._folder is None:
            return embedder
        return KeptVectors(embedder, self._folder / file)

    def _one(self) -> "Embedder | None":
        """Asked for again while there is none: it may be fetched while the home is open."""
        if self._found is None and self._embedder is not None:
            found = self._embedder()
            self._found = found if found.dimensions > 1 else None
        return self._found


def _compared(subject: Subject, ready: _Ready) -> Compared:
    """Blocking."""
    vector = None
    if ready.embedder is not None:
        vector = ready.embedder.embed([folded(subject.text)])[0]
    matches = ready.match.matches(subject.text, vector, idle=subject.idle)
    return Compared(
        team=ready.match.team,
        match=ready.match,
        matches=matches,
        manner=manner_of(subject.chat, matches.heard, ready.trades.names),
        vector=vector,
        embedder=ready.embedder,
    )
