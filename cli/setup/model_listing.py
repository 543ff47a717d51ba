"""How the models one can use are shown to a person, eighty columns wide."""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from ..output import harmless
from .fetching import size_text

if TYPE_CHECKING:
    from skill_agent.values import ModelInfo

WIDTH = 80
_SHOWN = 6
"""Languages named; how many more there are is counted."""
_SECTIONS = (("chat", "chat"), ("embedder", "finding memories"), ("reranker", "ordering them"))


def listing(models: "Sequence[ModelInfo]") -> Iterator[str]:
    """A line with the figures of each model and one below it with the rest."""
    width = max((len(_name(one)) for one in models), default=0)
    for kind, title in _SECTIONS:
        members = [one for one in models if one.kind == kind]
        if members:
            yield f"{title:<{width}}  {'size':>8}  {'memory':>8}  here  licence"
        for one in members:
            yield _figures(one, width)
            yield from _rest(one)


def _name(model: "ModelInfo") -> str:
    return harmless(model.name.removeprefix("embedded/"))


def _figures(model: "ModelInfo", width: int) -> str:
    size = size_text(model.size_bytes)
    about = "~" if size and model.size_estimated else ""
    memory = size_text(model.memory_bytes)
    here = ("yes" if model.installed else "no") if model.local else ""
    line = f"{_name(model):<{width}}  {about + size:>8}  {memory:>8}  {here:<4}  {model.licence}"
    return line.rstrip()


def _rest(model: "ModelInfo") -> Iterable[str]:
    parts = [", ".join(model.roles), model.note, languages(model.profile.languages)]
    parts.append(f"evaluated: {model.evaluation}" if model.evaluation else "")
    text = harmless("; ".join(part for part in parts if part))
    return textwrap.wrap(text, WIDTH, initial_indent="    ", subsequent_indent="    ")


def languages(codes: Sequence[str]) -> str:
    """The first codes, and how many more."""
    more = len(codes) - _SHOWN
    shown = ", ".join(codes[:_SHOWN] if more > 1 else codes)
    return f"{shown} and {more} more" if more > 1 else shown
