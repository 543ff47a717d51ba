"""How well what an agent does matches a message, in any language the embedder knows.

Three kinds of evidence, each a surprise over what everyday messages give: meanings (cosine to each
text of an agent), letters (TF-IDF), and the trade that the message is likened to by examples. What
counts is how far an agent is ahead of the next, so what all agents share distinguishes nobody. A
monotone map, learned on `benchmarks/experts_build.json`, makes a probability of it: it is put so
that an even chance just passes the gate's threshold for an agent that is idle and unrated.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skill_agent.tools.gate.likeness import script_of
from skill_agent.tools.gate.ngrams import folded

from .agent_texts import AgentTexts
from .lexical import Lexicon, lexicon
from .trades import Heard, Trades

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

EVEN = 0.5625
"""The skill match of an even chance: with performance .5, fit .5 and load 1 it comes to .6."""
_LETTERS_ALONE = 0.25
"""What letters count against `cannot_do` where there are no meanings."""
_FEW = 20
"""Everyday messages of a script from which its usual cosines can be told."""
_KNOWN = 0.5
"""An embedder that knows less of the language of trades does not say whose they are."""
_ATTACHED_FROM, _ATTACHED_SPAN = 2.5, 3.0
"""A trade is an agent's if its description surprises so much in a text of it, and it belongs in
full to the agents it surprises most in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The map from evidence to skill match; every weight is at least 0."""

    meaning: float = 1 / 3
    trade: float = 2.0
    trade_from: float = 0.2
    """What a lead over everyday words counts from: a trade may be so far behind …"""
    skill_from: float = -0.1
    """… and a skill must be ahead, for its requests are near to much that is everyday."""
    letters: float = 0.05
    highest_meaning: float = 5.0
    lead: float = 1.5
    """The most that being ahead can count."""
    evidence_weight: float = 0.90
    lead_weight: float = 3.73
    idle_weight: float = 1.38
    """Against what greets, thanks, tells, or asks what only the person knows."""
    everyday_weight: float = 1.35
    bias: float = -0.54
    never: float = 1.0
    """The least evidence by which `cannot_do` covers a message …"""
    covers: float = 1.5
    """… and the least where its own words do, without trades."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """What was found of one message, by agent."""

    skill: "np.ndarray"
    uncapped: "np.ndarray"
    """The same as if nobody had a `cannot_do`."""
    evidence: "np.ndarray"
    able: "np.ndarray"
    """False where `cannot_do` covers the message better than anything the agent does."""
    texts: "np.ndarray"
    """Surprise of each text, to name the matching ones."""
    heard: Heard
    by_meaning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Texts:
    """Texts in rows, which belong to owners."""

    owners: "np.ndarray"
    """Whose each text is, ascending."""
    starts: "np.ndarray"
    """Where each owner that has any begins …"""
    having: "np.ndarray"
    """… and which owners those are."""
    vectors: "np.ndarray | None"
    usual: "dict[str, tuple[np.ndarray, np.ndarray]]"
    """By script, mean and deviation of everyday messages' cosines to each."""
    lexicon: Lexicon
    usual_letters: "tuple[np.ndarray, np.ndarray]"
    attached: "np.ndarray"
    """(trades, owners): how much a trade is an owner's; a skill that many have is nobody's."""


class SkillMatch:
    """The agents of a team made comparable; made anew when what they say of themselves changes."""

    def __init__(
        self,
        team: Sequence[AgentTexts],
        trades: Trades,
        embedder: "Embedder | None",
        *,
        calibration: Calibration | None = None,
    ) -> None:
        """Blocking: embeds the team's texts, by an embedder that keeps what it was asked."""
        self.team, self._trades, self.calibration = team, trades, calibration or Calibration()
        says = [(row, text) for row, one in enumerate(team) for text in one.says]
        never = [(row, text) for row, one in enumerate(team) for text in one.never]
        vectors = None
        if embedder is not None and trades.everyday_vectors is not None:
            texts = [*(text for _, text in says), *(text for _, text in never), *trades.abouts]
            vectors = embedder.embed([folded(text) for text in texts])
        first = vectors[: len(says)] if vectors is not None else None
        self._says = self._made(says, first, vectors, has=True)
        rest = vectors[len(says) : len(says) + len(never)] if vectors is not None else None
        self._never = self._made(never, rest, vectors)

    def matches(self, text: str, vector: "np.ndarray | None", *, idle: float) -> Matches:
        """`idle` says how likely the message wants nobody's work, 0..1. Blocking, but quick."""
        import numpy as np

        c = self.calibration
        heard = self._trades.heard(text, vector)
        surprise, evidence, says = self._evidence(self._says, text, vector, heard)
        _, against, never = self._evidence(self._never, text, vector, heard)
        x = (
            c.evidence_weight * evidence
            + c.lead_weight * lead_of(evidence, c.lead)
            - c.idle_weight * idle
            - c.everyday_weight * heard.everyday
            + c.bias
        )
        skill = 1 / (1 + np.exp(-(x + math.log(EVEN / (1 - EVEN)))))
        covered = (never >= c.covers) & (never > np.maximum(says, evidence))
        able = ~(covered | ((against >= c.never) & (against > evidence)))
        return Matches(
            skill=np.where(able, skill, 0.0),
            uncapped=skill,
            evidence=evidence,
            able=able,
            texts=surprise,
            heard=heard,
            by_meaning=vector is not None and heard.knows > 0,
        )

    def named(
        self, matches: Matches, agent: int, *, least: float = 1.5, most: int = 3
    ) -> list[str]:
        """What of an agent matches, the best first: skills and what it can do."""
        import numpy as np

        rows = np.flatnonzero(self._says.owners == agent)
        one = self.team[agent]
        found = sorted(zip(matches.texts[rows].tolist(), one.told, strict=True), reverse=True)
        return [name for surprise, name in found if name and surprise >= least][:most]

    def _evidence(
        self, texts: _Texts, text: str, vector: "np.ndarray | None", heard: Heard
    ) -> "tuple[np.ndarray, np.ndarray, np.ndarray]":
        """The surprise of each text, the evidence for each owner, and what of it is in the texts
        themselves, without trades."""
        import numpy as np

        c, size = self.calibration, len(self.team)
        surprise = np.zeros(len(texts.owners))
        best = np.zeros(size)
        if vector is not None and texts.vectors is not None and heard.knows and len(surprise):
            surprise = heard.knows * _surprise(texts, script_of(text), texts.vectors @ vector)
            best[texts.having] = np.maximum.reduceat(surprise, texts.starts)
        mean, deviation = texts.usual_letters
        letters = (texts.lexicon.covered(text) - mean) / deviation
        start = np.full(len(heard.trades), c.skill_from)
        start[: len(self._trades.abouts)] = c.trade_from
        trade = np.clip(heard.trades + start, 0.0, 1.2)
        by_trade = (texts.attached * trade[:, None]).max(axis=0, initial=0.0)
        evidence = (
            c.meaning * np.clip(best, -1.0, c.highest_meaning)
            + c.trade * by_trade
            + c.letters * np.clip(letters, -1.0, 6.0)
        )
        alone = _LETTERS_ALONE * letters
        known = c.meaning * np.clip(best, -1.0, c.highest_meaning)
        direct = known if vector is not None and heard.knows else alone
        return surprise, evidence, direct

    # -- making ------------------------------------------------------------------------------

    def _made(
        self,
        texts: Sequence[tuple[int, str]],
        vectors: "np.ndarray | None",
        embedded: "np.ndarray | None",
        *,
        has: bool = False,
    ) -> _Texts:
        import numpy as np

        trades, size = self._trades, len(self.team)
        owners = np.array([row for row, _ in texts], np.int64)
        having, starts = np.unique(owners, return_index=True)
        documents = [""] * size
        for row, text in texts:
            documents[row] += f"{text}\n"
        letters = lexicon(documents)
        usual_letters = np.array([letters.covered(one) for one in trades.everyday[::3]])
        made = _Texts(
            owners=owners,
            starts=starts,
            having=having,
            vectors=vectors,
            usual={} if vectors is None else self._usual(vectors),
            lexicon=letters,
            usual_letters=(usual_letters.mean(axis=0), usual_letters.std(axis=0) + 0.02),
            attached=np.zeros((len(trades.names), size)),
        )
        skills = trades.names[len(trades.abouts) :]
        for number, name in enumerate(skills, start=len(trades.abouts)) if has else ():
            holders = np.array([name in one.skills for one in self.team])
            made.attached[number] = holders / max(1, holders.sum())
        for number, about in enumerate(trades.abouts):
            vector = None if embedded is None else embedded[number - len(trades.abouts)]
            made.attached[number] = self._attached(made, about, vector)
        return made

    def _usual(self, vectors: "np.ndarray") -> "dict[str, tuple[np.ndarray, np.ndarray]]":
        import numpy as np

        trades = self._trades
        assert trades.everyday_vectors is not None
        scripts = np.array([script_of(text) for text in trades.everyday])
        usual: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for script in dict.fromkeys(scripts.tolist()):
            rows = scripts == script
            if rows.sum() >= _FEW:
                near = trades.everyday_vectors[rows] @ vectors.T
                usual[script] = near.mean(axis=0), near.std(axis=0) + 0.01
        return usual

    def _attached(self, texts: _Texts, about: str, vector: "np.ndarray | None") -> "np.ndarray":
        import numpy as np

        if not len(texts.owners):
            return np.zeros(len(self.team))
        knows = self._trades.known.get(script_of(about), 0.0)
        if vector is not None and texts.vectors is not None and knows >= _KNOWN:
            found = np.full(len(self.team), -np.inf)
            surprise = _surprise(texts, script_of(about), texts.vectors @ vector)
            found[texts.having] = np.maximum.reduceat(surprise, texts.starts)
        else:
            mean, deviation = texts.usual_letters
            found = (texts.lexicon.covered(about) - mean) / deviation
        share = np.clip((found - found.max() + _ATTACHED_SPAN) / _ATTACHED_SPAN, 0.0, 1.0)
        return share * (found > _ATTACHED_FROM)


def _surprise(texts: _Texts, script: str, near: "np.ndarray") -> "np.ndarray":
    usual = texts.usual.get(script) or texts.usual.get("latin")
    if usual is None:
        return near * 0
    return (near - usual[0]) / usual[1]


def lead_of(evidence: "np.ndarray", most: float) -> "np.ndarray":
    """By how much each is ahead of the best of the others, or behind it."""
    import numpy as np

    if len(evidence) < 2:
        return np.zeros(len(evidence))
    second, first = np.partition(evidence, -2)[-2:]
    ahead = np.where(evidence == first, first - second, evidence - first)
    return np.clip(ahead, -most, most)
