"""The two ways to a home, for scripts and every front end; the composition root begins here.

Light: a process that only attaches pays for nothing it does not use. What a runtime is made of
stands in `building`.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from skill_agent.backups.unfinished import check_not_half_restored
from skill_agent.errors import NotFound
from skill_agent.files.home import find_home

from .home_files import init_home
from .joining import joined
from .options import OpenOptions, utc_now

if TYPE_CHECKING:
    from skill_agent.ports import Clock, Embedder, ModelGateway
    from skill_agent.workstation import Workstation

FIRST_S = 3.0
"""How long a remote home is tried to be reached at first; later one is more patient."""


@asynccontextmanager
async def open_home(
    path: str | os.PathLike[str] | None = None,
    *,
    create: bool = False,
    hosting: bool = False,
    role: str = "script",
    gateway: "ModelGateway | None" = None,
    embedder: "Embedder | None" = None,
    clock: "Clock" = utc_now,
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
        check_not_half_restored(home)
        if not create:
            raise NotFound(f"there is no skill-agent home at {home.root}", hint="ska init")
        init_home(home)
    options = OpenOptions(
        role=role, hosting=hosting, gateway=gateway, embedder=embedder, clock=clock
    )
    async with joined(home, options) as station:
        yield station


@asynccontextmanager
async def open_remote(
    url: str, key: str = "", *, role: str = "script"
) -> AsyncIterator["Workstation"]:
    """The workstation of a home that is served at a URL, with one of its API keys.

    Raises ModelUnavailable's kin where nobody answers, and what the server refuses in its words.
    """
    from skill_agent.attach.remote import again
    from skill_agent.attach.remote_workstation import RemoteWorkstation
    from skill_agent.attach.transport import Line

    def line() -> Line:
        return Line(url=url, key=key, name=role)

    window = RemoteWorkstation(await again(line, seconds=FIRST_S)(), recover=again(line))
    try:
        yield window
    finally:
        await window.close()
