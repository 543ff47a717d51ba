"""Models as rows: where they run, how large they are, what they cost, what is in their way."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from textual.content import Content
from textual.widgets.option_list import Option

from skill_agent.values import ModelOffer

from ..frame.plain import one_line
from ..frame.status import short

PLACES = {
    "embedded": "On this machine",
    "ollama": "In your Ollama",
    "remote": "Elsewhere: what is written leaves this machine",
}
DEFAULT = "default"
"""The name for whatever config.toml has as its own."""


def matching(offers: Iterable[ModelOffer], words: str) -> list[ModelOffer]:
    """Those whose name, use or place has all the words, those that can answer first in each
    place."""
    wanted = words.lower().split()
    found = [one for one in offers if all(word in _said(one) for word in wanted)]
    order = list(PLACES)
    return sorted(found, key=lambda one: (order.index(one.place), bool(one.problem)))


def _said(offer: ModelOffer) -> str:
    model = offer.model
    roles = " ".join(model.roles)
    return f"{offer.id} {model.note} {roles} {PLACES[offer.place]} {offer.problem}".lower()


def rows(offers: Sequence[ModelOffer], current: str, *, led: bool = False) -> list[Option]:
    """Grouped by where they run, each group with its heading; `led` says that others stand above
    them."""
    found: list[Option] = []
    for place, group in groupby(offers, key=lambda one: one.place):
        gap = "\n" if found or led else ""
        head = Content.assemble(gap, (PLACES[place], "bold $foreground-muted"))
        found.append(Option(head, disabled=True))
        found += [Option(row(one, current), id=one.id) for one in group]
    return found


def row(offer: ModelOffer, current: str) -> Content:
    """Two lines: its name and figures, then what it is good at or what is in its way."""
    model, muted = offer.model, "$foreground-muted"
    can = not offer.problem
    here = "  now" if offer.id == current else ""
    lines = [
        Content.assemble(
            ("● " if can else "○ ", "$success" if can else muted),
            (one_line(offer.id.removeprefix("embedded/"), 60), "bold" if can else muted),
            (here, "$success"),
            (f"  {figures(offer)}", muted),
        )
    ]
    if model.note:
        lines.append(Content.assemble("  ", (one_line(model.note, 160), muted)))
    if offer.problem:
        lines.append(Content.assemble("  ", (one_line(offer.problem, 160), "$warning")))
    if offer.problem and offer.fix:
        lines.append(Content(f"  → {one_line(offer.fix, 160)}"))
    return Content("\n").join(lines)


def figures(offer: ModelOffer) -> str:
    """Size, window, price and roles, as far as they are known."""
    model = offer.model
    about = "~" if model.size_estimated else ""
    parts = [
        f"{about}{size(model.size_bytes)}" if model.size_bytes else "",
        f"{short(model.context_window)} window" if model.context_window else "",
        price(offer),
        ", ".join(model.roles),
    ]
    return " · ".join(part for part in parts if part)


def price(offer: ModelOffer) -> str:
    """What a million tokens read, and written, cost."""
    if offer.place != "remote":
        return ""
    if offer.prompt_usd is None or offer.completion_usd is None:
        return "price unknown"
    if not offer.prompt_usd and not offer.completion_usd:
        return "free"
    return f"${offer.prompt_usd:.2f}/${offer.completion_usd:.2f} per million"


def size(amount: int) -> str:
    """Bytes as people read them."""
    return f"{amount / 1e9:.1f} GB" if amount >= 1e9 else f"{amount / 1e6:.0f} MB"
