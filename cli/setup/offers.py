"""What `ska init` offers to think with, and the one question it asks.

Beside the verified model stands the most able one that fits this machine, where the hub that has
it answers at once, and what the machine has besides: Ollama, keys of providers.
"""

import os
import shutil
import textwrap
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..output import narrate
from ..surroundings import Surroundings
from .fetching import size_text

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.models.files.catalogue import Entry
    from skill_agent.models.files.hub import HubAnswer

HUB_S = 2.0
"""Longest wait for the hub; where it does not answer by then, nothing of it is offered."""
_SAMPLE_S = 0.7
_WIDTH = 80
_ASSUMED = 10_000_000
"""Bytes a second a download is taken to come at where none was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A model to think with, and what it costs, for a person."""

    name: str
    """As `models.default` takes it."""
    label: str
    untried: bool = False
    """Not verified with everything here: it is tried before it becomes the default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What could be offered."""

    offers: Sequence[Offer]
    """The verified one first."""
    warning: str = ""
    """Why the first is less than the verified one."""


def look_around(home: "Home", *, hub: bool, providers: bool) -> Found:
    """What this machine could think with; `hub` says to ask it, `providers` to look for others."""
    from skill_agent.models.files.catalogue import default_for_memory, entry, total_memory

    name, warning = default_for_memory(total_memory())
    better, answer = _better(home, total_memory()) if hub else (None, None)
    rate = answer.bytes_per_s if answer else 0.0
    offers = [Offer(name=name, label=_local(entry(name), entry(name).size, rate))]
    if better and answer:
        label = _local(better, answer.size or better.likely_size, rate)
        offers.append(Offer(name=f"embedded/{better.name}", label=label, untried=True))
    if providers:
        offers += [Offer(name=model, label=label) for model, label in _providers()]
    return Found(offers=offers, warning=warning)


def ask_which(around: Surroundings, found: Found, extra: str) -> Offer | None:
    """The one question; None where nothing shall be fetched now."""
    narrate("Which model shall the agents think with?")
    if extra:
        narrate(f"({extra})")
    for number, offer in enumerate(found.offers, start=1):
        text = f"{number}  {offer.name.removeprefix('embedded/')}: {offer.label}"
        for line in textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="     "):
            narrate(line)
    if found.warning:
        narrate(f"warning: {found.warning}")
    numbers = f"1-{len(found.offers)}" if len(found.offers) > 1 else "1"
    while True:
        said = around.read_line(f"{numbers}, or n for none now [1] ").strip().lower() or "1"
        if said in ("n", "no", "none"):
            return None
        if said in ("y", "yes"):
            return found.offers[0]
        if said.isdecimal() and 1 <= int(said) <= len(found.offers):
            return found.offers[int(said) - 1]


def cost_text(size: int, rate: float = 0.0) -> str:
    """What a download costs in bytes and time, for a person."""
    seconds = size / (rate or _ASSUMED)
    span = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
    return f"{size_text(size)} to fetch, about {span}" + ("" if rate else " at 10 MB/s")


def _context() -> int:
    """Tokens that are loaded: every conversation's window, as a new home has it."""
    from skill_agent.models.gateway import SLOTS
    from skill_agent.settings.schema import EmbeddedSettings

    return SLOTS * EmbeddedSettings().context_window


def _local(entry: "Entry", size: int, rate: float) -> str:
    memory = size_text(entry.memory(_context()))
    return f"{entry.good_at}; no key; {cost_text(size, rate)}, {memory} of memory"


def _better(home: "Home", memory: int) -> "tuple[Entry | None, HubAnswer | None]":
    """The most able model that fits, and what the hub says of it."""
    from skill_agent.models.files.catalogue import HubFile, best_for_memory
    from skill_agent.models.files.hub import at_endpoint

    best = best_for_memory(memory, _context())
    if best is None:
        return None, None
    urls = [one.url for one in best.files[0].sources if isinstance(one, HubFile)]
    answer = _in_time(at_endpoint(urls[0], os.environ)) if urls else None
    if answer and (answer.size or best.likely_size) > _free(home.root):
        return None, None
    return best, answer


def _free(folder: Path) -> int:
    """Bytes free where a folder is or will be."""
    there = next(one for one in (folder, *folder.absolute().parents) if one.is_dir())
    return shutil.disk_usage(there).free


def _in_time(url: str) -> "HubAnswer | None":
    """What the hub says within HUB_S, all waits together; importing its client counts too."""
    heard: list[HubAnswer] = []

    def ask() -> None:
        from skill_agent.models.files.hub import SourceFailed, asked, unreachable

        try:
            if not unreachable(url, HUB_S / 2):
                heard.append(asked(url, patience_s=HUB_S, sample_s=_SAMPLE_S))
        except SourceFailed:
            return

    # A thread, because looking a name up may block far longer than any time-out says.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(HUB_S)
    return heard[0] if heard else None


def _providers() -> Sequence[tuple[str, str]]:
    """What could be used at once, with a model to begin with."""
    from skill_agent.models.providers import detect_providers

    found = detect_providers(os.environ)
    return [(one.model, one.label) for one in found if one.state == "ready" and one.model]
