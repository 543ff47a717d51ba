"""Which tools a message is likely to want: by letters in any script, and by meaning where there is
an embedder.

Nothing is learned from examples. A message in another language than the servers' is helped by a
small list of words for what tools do (`bundled/tool_words.toml`).
"""

import logging
import math
import re
import tomllib
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.errors import SkillAgentError
from skill_agent.tools.gate.kept import KeptVectors
from skill_agent.tools.gate.ngrams import Postings, posted

from .borrowed import Sound
from .naming import words_of

if TYPE_CHECKING:
    import numpy as np

    from skill_agent.ports import Embedder

WORDS = Path(__file__).parents[2] / "bundled" / "tool_words.toml"
MEANING = 0.5
"""The embedder's share; the letters have the rest."""
MOST_COMPARED = 400
"""Tools that are compared letter by letter; of more, those that share words with the message."""
MOST_REMEMBERED = 5_000
"""Tools' vectors held in memory."""
_LONGEST = 300

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A tool with how well it fits."""

    tool: Sound
    score: float
    """0 to 1, beside the others: what all tools have in common counts for none."""
    near: float
    """0 to 1, by itself: whether the message has to do with such a tool at all."""


def text_of(tool: Sound) -> str:
    """What a message is compared with; the name counts twice, for it was chosen to tell."""
    name = words_of(tool.found.name)
    said = " ".join(filter(None, (tool.title, tool.description)))
    return f"{words_of(tool.found.server)} {name}. {name}: {said}"[:_LONGEST]


def ranked(words: str, tools: Sequence[Sound], meanings: "Meanings | None") -> list[Ranked]:
    """All of them, the likeliest first; equals keep their order. Blocking."""
    texts = [text_of(one) for one in tools]
    asked = glossed(words)
    rows = _sharing(asked, texts) if len(texts) > MOST_COMPARED else [*range(len(texts))]
    scores = {row: (0.0, 0.0) for row in range(len(texts))}
    if rows:
        some = [texts[row] for row in rows]
        apart = near = _postings(tuple(some)).like(asked)
        if meanings and (alike := meanings.alike(_for_meaning(words, asked), some)) is not None:
            apart, near = ((1 - MEANING) * near + MEANING * one for one in alike)
        pairs = zip(apart.tolist(), near.tolist(), strict=True)
        scores |= dict(zip(rows, pairs, strict=True))
    order = sorted(scores, key=lambda row: -scores[row][0])
    return [Ranked(tool=tools[row], score=scores[row][0], near=scores[row][1]) for row in order]


class Meanings:
    """Likeness by an embedder, which sees each tool's text once."""

    def __init__(self, embedder: "Embedder", file: Path) -> None:
        """`file` keeps the vectors of texts, under their digests."""
        self._embedder, self._kept = embedder, KeptVectors(embedder, file)
        self._known: OrderedDict[str, np.ndarray] = OrderedDict()

    def alike(self, asked: str, texts: Sequence[str]) -> "tuple[np.ndarray, np.ndarray] | None":
        """Of a message to each text, without what all texts have in common and with it; None where
        no model is there yet. Blocking."""
        import numpy as np

        if self._embedder.dimensions == 1:
            return None
        try:
            if any(text not in self._known for text in texts):
                self._known |= dict(zip(texts, self._kept.embed(texts), strict=True))
            rows = np.stack([self._known[text] for text in texts])
            message = self._embedder.embed([asked])[0]
        except SkillAgentError as problem:
            _log.warning("tools are chosen by letters alone: %s", problem.message)
            return None
        while len(self._known) > MOST_REMEMBERED:
            self._known.popitem(last=False)
        return _apart(rows, message), np.clip(rows @ message, 0, 1)


def _apart(rows: "np.ndarray", message: "np.ndarray") -> "np.ndarray":
    """Cosines, without what all tools have in common."""
    import numpy as np

    mean = rows.mean(axis=0) if len(rows) > 2 else np.zeros_like(message)
    apart, asked = rows - mean, message - mean
    lengths = np.linalg.norm(apart, axis=1) * np.linalg.norm(asked)
    return np.clip(apart @ asked / np.maximum(lengths, 1e-6), 0, 1)


@lru_cache(maxsize=4)
def _kept(texts: tuple[str, ...]) -> Postings:
    return posted(texts, least=1)


def _postings(texts: tuple[str, ...]) -> Postings:
    return _kept(texts) if len(texts) <= MOST_COMPARED else posted(texts, least=1)


def _sharing(asked: str, texts: Sequence[str]) -> list[int]:
    """Rows of the texts that share the rarest words with the message, in their own order."""
    beginnings = [_beginnings(text) for text in texts]
    wanted = _beginnings(asked)
    spread = Counter(one for found in beginnings for one in found & wanted)
    weight = {one: math.log(1 + len(texts) / number) for one, number in spread.items()}
    sums = [sum(weight[one] for one in found & wanted) for found in beginnings]
    best = sorted((row for row, value in enumerate(sums) if value), key=lambda row: -sums[row])
    return sorted(best[:MOST_COMPARED])


def _beginnings(text: str) -> set[str]:
    """Words without their endings, about."""
    return {word[:5] for word in re.findall(r"\w{2,}", text.casefold())}


# -- other languages -------------------------------------------------------------------------


def glossed(words: str) -> str:
    """The message, with English words for those of it that name what tools do."""
    found = _glosses(words)
    return f"{words} {' '.join(found)}" if found else words


def _for_meaning(words: str, asked: str) -> str:
    """What an embedder of English can read of a message."""
    latin = sum(char.isascii() for char in words) >= 0.6 * max(1, len(words))
    return asked if latin else " ".join(_glosses(words)) or asked


def _glosses(words: str) -> list[str]:
    plain = words.casefold()
    return [english for english, pattern in _lexicon().items() if pattern.search(plain)]


@cache
def _lexicon() -> "dict[str, re.Pattern[str]]":
    """By English word, how words for it begin elsewhere; scripts without blanks have them
    anywhere."""
    table: dict[str, list[str]] = tomllib.loads(WORDS.read_text("utf-8"))["words"]
    return {
        english: re.compile("|".join(_beginning(stem) for stem in stems))
        for english, stems in table.items()
    }


def _beginning(stem: str) -> str:
    inside = re.match(r"[\u3040-\u30ff\u3400-\u9fff]", stem)
    return re.escape(stem) if inside else rf"\b{re.escape(stem)}"
