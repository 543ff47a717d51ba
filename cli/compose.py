"""The composition root: how a process comes to a home, and how a home is made.

Light: a process that only attaches pays for nothing it does not use. What a runtime is made of
stands in `building`.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skill_agent.errors import NotFound
from skill_agent.files.home import Home, find_home

from .joining import Joining, hosted, open_remote

if TYPE_CHECKING:
    from skill_agent.ports import Clock, Embedder, ModelGateway, Progress
    from skill_agent.settings.schema import Settings
    from skill_agent.workstation import Workstation


__all__ = ["init_home", "open_home", "open_remote", "pull_model", "read_settings"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_home(
    path: str | os.PathLike[str] | None = None,
    *,
    create: bool = False,
    hosting: bool = False,
    role: str = "script",
    gateway: "ModelGateway | None" = None,
    embedder: "Embedder | None" = None,
    clock: "Clock" = _utc_now,
) -> AsyncIterator["Workstation"]:
    """Opens a home and gives its workstation; the entry point for scripts and every front end.

    The first process that opens a home holds it and serves the others, which attach to it; when it
    goes away, one of them takes over. `path` defaults to SKILL_AGENT_HOME, then the platform's data
    directory. With `create` a missing home is made first. `hosting` says that the process stays
    open and may read, tidy up and prepare in the background; `role` is what it is to its person.
    `gateway`, `embedder` and `clock` replace the real ones.
    Raises NotFound where there is no home, HomeBusy while its holder does not answer, ConfigError
    for a mistake in its files, LedgerTooNew for a ledger of a newer version.
    """
    home = find_home(path)
    if not home.exists:
        if not create:
            raise NotFound(f"there is no skill-agent home at {home.root}", hint="ska init")
        init_home(home)
    host = partial(
        hosted, home, role=role, stays=hosting, gateway=gateway, embedder=embedder, clock=clock
    )
    joining = Joining(home, role=role, host=host)
    async with AsyncExitStack() as stack:
        yield await joining.enter(stack, stays=hosting)


def init_home(home: Home, chosen: dict[str, Any] | None = None) -> list[str]:
    """Makes what a home lacks and leaves the rest alone; returns the names of what was made.

    `chosen` are settings by dotted key for a new config.toml.
    """
    from skill_agent.files.bundled import bundled_agents_path
    from skill_agent.files.private import write_private
    from skill_agent.settings.template import default_config_text

    made: list[str] = []
    for folder in (home.root, home.skills, home.models, home.logs, home.run, home.drafts):
        if not folder.is_dir():
            folder.mkdir(parents=True, mode=0o700)
            made.append(f"{folder.name}/")
        folder.chmod(0o700)
    if not home.agents.exists():
        write_private(home.agents, bundled_agents_path().read_text(encoding="utf-8"))
        made.append(home.agents.name)
    if not home.config.exists():
        write_private(home.config, default_config_text(chosen))
        made.append(home.config.name)
    return made


def read_settings(home: Home) -> "Settings":
    """The home's settings with the environment's on top; raises ConfigErrors."""
    from .building import read_settings as read

    return read(home)


def pull_model(name: str, home: Home, progress: "Progress | None" = None) -> Path:
    """Fetches and verifies a model, and readies an embedder for speed; returns where it lies.

    Raises NotFound for an unknown name, PullFailed with every source tried.
    """
    from skill_agent.models.files.pull import pull

    path = pull(name, home, progress, environ=_with_cache(os.environ))
    if (path / "model.onnx").is_file():
        from ..store.embedding import quantise

        quantise(path)
    return path


def _with_cache(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with the user's cache folder, where it names none itself: a second home
    links what the first one fetched. Set but empty means no cache."""
    from platformdirs import user_cache_path

    from skill_agent.models.files.pull import CACHE_VARIABLE

    if CACHE_VARIABLE in environ:
        return dict(environ)
    cache = user_cache_path("skill-agent") / "models"
    cache.mkdir(parents=True, exist_ok=True)
    return {**environ, CACHE_VARIABLE: str(cache)}
