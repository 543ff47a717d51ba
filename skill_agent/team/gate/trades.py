"""What people say to somebody of a trade, in many languages, and what it tells of a message.

An agent says of itself little more than "code review". What a message that wants it looks like is
learned from examples (`trades/*.toml`, and the requests that skills bring along), by the same
kernel ridge regression over letters and meanings that tells which tool a message wants. It is
learned anew for the embedder that is there, in a fraction of a second; nothing trained is shipped.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.skills.requests import read_requests, requests_of
from skill_agent.tools.gate.likeness import Likeness, learned, script_of
from skill_agent.tools.gate.ngrams import folded
from skill_agent.values import Skill

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

EVERYDAY, FEELINGS = "", "feelings"
TECHNICAL = ("code", "figures")
"""The trades whose messages are technical in tone."""
_FOLDER = Path(__file__).with_name("trades")
_EVERYDAY_FILE = Path(__file__).parents[2] / "tools" / "gate" / "requests" / "words.txt"
_RIDGE = 0.1
"""How far an example may be off what the others say of it."""
_OF_A_SKILL = 32
"""Requests of one skill that are learned, taken evenly from all it brings along."""
_FEWEST = 5
"""Examples in a script from which it can be told whether an embedder knows it."""
_KNOWN_FROM, _KNOWN_AT = 0.45, 0.85
"""An embedder counts in a script from the share of plain examples whose trade it finds by the
description of the trade alone: not at all below the first, fully from the second.
Chance is a third."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the examples tell of a message."""

    trades: "np.ndarray"
    """By trade, how far it leads over everyday words; about -1 to 1."""
    everyday: float
    feelings: float
    knows: float
    """How much the embedder may say in this script, 0..1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trades:
    """The examples and what they teach."""

    names: tuple[str, ...]
    """The trades, then the skills that bring requests along."""
    abouts: tuple[str, ...]
    """What each trade is called, in words an embedder knows; skills belong to who has them."""
    everyday: tuple[str, ...]
    """Messages that want nobody's trade: what others are measured against."""
    likeness: Likeness
    weights: "np.ndarray"
    everyday_vectors: "np.ndarray | None"
    known: Mapping[str, float]
    """By script, how much the embedder may say."""

    def heard(self, text: str, vector: "np.ndarray | None") -> Heard:
        scores = self.likeness.like(text, vector) @ self.weights
        lead = scores[2:] - scores[0]
        return Heard(
            trades=lead,
            everyday=float(scores[0]),
            feelings=float(scores[1]),
            knows=self.known.get(script_of(text), min(self.known.values(), default=0.0))
            if vector is not None
            else 0.0,
        )


def trades_learned(embedder: "Embedder | None", skills: Sequence[Skill] = ()) -> Trades:
    """Learns the examples that come with the product and those of skills. Blocking."""
    files = {file.stem: _read(file) for file in sorted(_FOLDER.glob("*.toml"))}
    feelings, everyday = files.pop(FEELINGS), files.pop("everyday")
    wants = {text: name for name, one in files.items() for text in (*one.plain, *one.says)}
    wants |= dict.fromkeys(feelings.says, FEELINGS)
    for text in (*read_requests(_EVERYDAY_FILE).wanted, *everyday.says):
        wants.setdefault(text, EVERYDAY)
    for skill in skills:
        for text in _some(requests_of(skill).wanted):
            wants.setdefault(text, skill.name)
    asked = tuple(one.name for one in skills if one.name in wants.values())
    abouts = {name: one.about for name, one in files.items()}
    plain = frozenset(text for one in files.values() for text in one.plain)
    source = _Source(name=embedder.name if embedder else "", embedder=embedder)
    return _taught(source, tuple(wants.items()), tuple(abouts.items()), asked, plain)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trade:
    """A file of examples."""

    about: str
    plain: tuple[str, ...]
    """Those that name their subject."""
    says: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """An embedder by its name: another name means another space of vectors."""

    name: str
    embedder: "Embedder | None" = field(compare=False)


@lru_cache(maxsize=2)
def _taught(
    source: _Source,
    examples: tuple[tuple[str, str], ...],
    abouts: tuple[tuple[str, str], ...],
    asked: tuple[str, ...],
    plain: frozenset[str],
) -> Trades:
    """The same examples teach every home of a process the same."""
    import numpy as np

    embedder = source.embedder
    texts, labels = [text for text, _ in examples], [label for _, label in examples]
    names = tuple(name for name, _ in abouts)
    likeness = learned(texts, labels, embedder)
    near = likeness.among()
    columns = (EVERYDAY, FEELINGS, *names, *asked)
    wanted = np.array([[one == column for column in columns] for one in labels], np.float32)
    weights = np.linalg.solve(near + _RIDGE * np.eye(len(near), dtype=near.dtype), wanted)
    vectors, known = None, {}
    if embedder is not None and likeness.vectors is not None:
        about_vectors = embedder.embed([folded(about) for _, about in abouts])
        rows = [text in plain or label == EVERYDAY for text, label in examples]
        known = _known(
            [text for text, row in zip(texts, rows, strict=True) if row],
            [label for label, row in zip(labels, rows, strict=True) if row],
            names,
            likeness.vectors[rows],
            about_vectors,
        )
        vectors = likeness.vectors[[label == EVERYDAY for label in labels]]
    return Trades(
        names=(*names, *asked),
        abouts=tuple(about for _, about in abouts),
        everyday=tuple(text for text, label in examples if label == EVERYDAY),
        likeness=likeness,
        weights=weights,
        everyday_vectors=vectors,
        known=known,
    )


def _known(
    texts: Sequence[str],
    labels: Sequence[str],
    names: Sequence[str],
    vectors: "np.ndarray",
    abouts: "np.ndarray",
) -> dict[str, float]:
    """By script, whether the embedder finds an example's trade by its description: one that was
    taught English makes noise of Japanese."""
    import numpy as np

    scripts = np.array([script_of(text) for text in texts])
    wants = np.array(labels)
    near = vectors @ abouts.T
    known: dict[str, float] = {}
    for script in dict.fromkeys(scripts.tolist()):
        rows = np.flatnonzero((scripts == script) & np.isin(wants, list(names)))
        others = np.flatnonzero((scripts == script) & (wants == EVERYDAY))
        if len(rows) < _FEWEST or len(others) < _FEWEST:
            continue
        usual = near[others]
        surprise = (near[rows] - usual.mean(axis=0)) / (usual.std(axis=0) + 1e-6)
        found = np.array(names)[surprise.argmax(axis=1)]
        right = float((found == wants[rows]).mean())
        share = (right - _KNOWN_FROM) / (_KNOWN_AT - _KNOWN_FROM)
        known[script] = min(1.0, max(0.0, share))
    return known


def _read(file: Path) -> _Trade:
    found = tomllib.loads(file.read_text("utf-8"))
    plain, says = tuple(found.get("plain", ())), tuple(found["says"])
    return _Trade(about=found.get("about", ""), plain=plain, says=says)


def _some(texts: Sequence[str]) -> Sequence[str]:
    return texts[:: max(1, -(-len(texts) // _OF_A_SKILL))]
