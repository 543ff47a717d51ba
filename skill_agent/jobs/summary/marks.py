"""Which of a person's sentences tell that something was decided, is promised or is open.

By likeness to examples, as it is told which tool a message wants: they lie beside this module, a
file a mark, in ten languages. The letters decide: on labelled days an embedder on top was no better
(`benchmarks/summary.py`), and nothing has to be loaded. A language without examples has no marks.
"""

from functools import cache
from pathlib import Path

from skill_agent.memory.extraction.concerns import signs_in
from skill_agent.skills.requests import read_requests
from skill_agent.tools.gate.classifier import WORDS, Classifier, Example, taught
from skill_agent.values import SummaryMark

from .phrases import phrases

MARGIN = 0.05
"""By how much a mark leads over telling nothing of the kind; chosen on the days for building."""
KEPT_MARGIN = 0.2
"""The same of what was put into memory by itself, most of which is plain facts."""
_SAID = 0.1
"""What a word for deciding adds to that mark."""
TOLD: tuple[SummaryMark, ...] = ("decided", "promised", "open")
"""What a sentence can tell."""
_PLAIN = "plain"
_FOLDER = Path(__file__).with_name("examples")


def mark_of(sentence: str, language: str, *, least: float = MARGIN) -> SummaryMark | None:
    """What a sentence tells: a millisecond, and half a second for the first of a process."""
    leads = {one.tool: one.margin for one in _learned().leads(sentence, among=TOLD, without=())}
    unknown = phrases(language, "unknown").search(sentence)
    if signs_in(sentence, language)["decided"] and not unknown:
        leads["decided"] += _SAID
    best = max(TOLD, key=lambda one: leads[one])
    return best if leads[best] > least else None


@cache
def _learned() -> Classifier:
    examples = [
        Example(text=text, wants=WORDS if name == _PLAIN else name)
        for name in (*TOLD, _PLAIN)
        for text in read_requests(_FOLDER / f"{name}.txt").wanted
    ]
    return taught(examples, None)
