"""The command that clients start us with: how it is made, and how it is known again."""

import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from skill_agent.errors import UsageError
from skill_agent.files.home import find_home

from .known import Client

_NAMES = frozenset({"ska", "skill-agent"})
_MODULE = "skill_agent.cli"
_HOME_NAMED_BY = ("SKILL_AGENT_HOME", "XDG_DATA_HOME")


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What an entry of ours says."""

    agent: str = ""
    read_only: bool = False
    home: str = ""


def command(
    *, home: Path | None, agent: str = "", read_only: bool = False, called: str = ""
) -> list[str]:
    """The words a client shall start; `called` is what this process was called.

    The home is named unless it is the one that every process of this person would find: a client
    has an environment of its own. Nothing of the environment is copied.
    """
    words = program(called)
    if home is not None or any(os.environ.get(name) for name in _HOME_NAMED_BY):
        words += ["--home", str(find_home(home).root)]
    words += ["mcp", "serve"]
    if agent:
        words += ["--as", agent]
    return [*words, "--read-only"] if read_only else words


def program(called: str = "") -> list[str]:
    """The `ska` that runs, by its absolute path: as it was called, else the one that lies with this
    Python, else this Python itself. A link stays one, for updates move what it leads to."""
    for path in (Path(called), Path(sysconfig.get_path("scripts")) / _script()):
        if path.stem in _NAMES and path.is_file() and os.access(path, os.X_OK):
            return [str(path.absolute())]
    return [sys.executable, "-P", "-m", _MODULE]


def served(words: Sequence[str]) -> Served | None:
    """What a command of ours serves; None for any other."""
    for at in range(1, len(words) - 1):
        if tuple(words[at : at + 2]) == ("mcp", "serve"):
            home = _called_with(words[:at])
            return None if home is None else _told(words[at + 2 :], home)
    return None


def refuse_replaced(words: Sequence[str], client: Client) -> None:
    """Raises UsageError where the client would make something else of a word, or where no file
    can hold it."""
    for word in words:
        if not word.isprintable():
            raise UsageError(f"no settings can name {word!r}", hint="rename that folder")
        found = next((sign for sign in client.replaces if sign in word), None)
        if found:
            raise UsageError(
                f"{client.title} would replace what follows {found!r} in {word!r}",
                hint="use a path without it",
            )


def _script() -> str:
    return "ska.exe" if sys.platform == "win32" else "ska"


def _called_with(words: Sequence[str]) -> str | None:
    """The home in the words before `mcp serve`; None where they do not call us."""
    home = ""
    if len(words) > 2 and words[-2] == "--home":
        home, words = words[-1], words[:-2]
    elif len(words) > 1 and words[-1].startswith("--home="):
        home, words = words[-1].removeprefix("--home="), words[:-1]
    name = PurePath(words[-1].replace("\\", "/")).name.lower().removesuffix(".exe")
    return home if name in _NAMES or words[-1] == _MODULE else None


def _told(words: Sequence[str], home: str) -> Served | None:
    """What the options behind `mcp serve` say; None for ones that are not ours."""
    agent, read_only, rest = "", False, list(words)
    while rest:
        word = rest.pop(0)
        if word == "--read-only":
            read_only = True
        elif word == "--as" and rest:
            agent = rest.pop(0)
        elif word.startswith("--as="):
            agent = word.removeprefix("--as=")
        else:
            return None
    return Served(agent=agent, read_only=read_only, home=home)
