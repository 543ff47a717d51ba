"""The embedder `ska init` offers to somebody whose language the shipped one does not know."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from skill_agent.errors import PullFailed, UsageError

from ..output import narrate
from ..surroundings import Surroundings
from .fetching import fetch, size_text

if TYPE_CHECKING:
    from skill_agent.files.home import Home
    from skill_agent.models.files.catalogue import Entry


def language_here(environ: Mapping[str, str]) -> str:
    """The language code of the environment's locale; `en` where it names none."""
    names = (environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, names), "")
    code = locale.partition(".")[0].partition("_")[0].lower()
    return code if len(code) == 2 and code.isalpha() else "en"


def named_embedder(name: str) -> "Entry":
    """The entry of that name; raises NotFound, UsageError where it is no embedder."""
    from skill_agent.models.files.catalogue import entry

    found = entry(name)
    if found.kind != "embedder":
        raise UsageError(f"{found.name} is no embedder", hint="ska models list")
    return found


def asked_embedder(around: Surroundings, *, ask: bool) -> "Entry | None":
    """The one for the locale's language, if a person wants it now; else says how to get it later.
    None, without a word, where the shipped one knows the language."""
    from skill_agent.models.files.catalogue import embedder_for

    code = language_here(os.environ)
    offered = embedder_for(code)
    if offered is None:
        return None
    wish = f"Fetch {offered.title} as well ({size_text(offered.size)}, {offered.licence})"
    if ask and around.confirm(f"{wish}, so that memories in {code!r} are found by meaning?"):
        return offered
    narrate(f"to find memories in {code!r} by meaning: ska init --embedder {offered.name}")
    return None


def take_up(around: Surroundings, home: "Home", model: "Entry", *, must: bool) -> bool:
    """Fetches an embedder; True once it is there. Where it cannot be had now, says how later, or
    with `must` raises PullFailed."""
    from skill_agent.models.files.installed import installed

    if installed(model.name, home):
        return True
    narrate(f"fetching {model.title} ({size_text(model.likely_size)}, {model.licence})")
    try:
        fetch(around, home, model.name)
    except PullFailed as failed:
        if must:
            raise
        narrate(f"not now: {failed.message}. Later: ska init --embedder {model.name}")
        return False
    return True
