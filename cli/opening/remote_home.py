"""A home served somewhere else (`--api URL`): how it is opened, what of it lies on this machine.

Its key comes from the environment alone, for a command line can be read by others.
"""

import os
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from skill_agent.errors import UsageError
from skill_agent.home import Home

from ..output import narrate
from ..surroundings import Surroundings
from .joining import open_remote

if TYPE_CHECKING:
    from skill_agent.workstation import Workstation

KEY = "SKILL_AGENT_API_KEY"
EXAMPLE = "for example --api https://ska.example.org"


def elsewhere(
    around: Surroundings, url: str, environ: Mapping[str, str] = os.environ
) -> Surroundings:
    """The surroundings of a command that works on the home at a URL; raises UsageError."""
    address = checked(url)
    if environ.get(KEY) and _is_in_clear(address):
        narrate(f"warning: the key goes to {address} unencrypted; use https where you can")

    def open_there(
        path: Path | None = None,
        *,
        create: bool = False,
        hosting: bool = False,
        role: str = "script",
    ) -> "AbstractAsyncContextManager[Workstation]":
        return open_remote(address, environ.get(KEY, ""), role=role)

    return replace(around, api=address, path=_own_files(address), open_home=open_there)


def checked(url: str) -> str:
    """The URL without a slash at its end; raises UsageError for what is none."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url.strip())
        whole = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port  # raises for one that is no number
    except ValueError:
        raise UsageError(f"--api: {url!r} is no URL", hint=EXAMPLE) from None
    if not whole:
        raise UsageError(f"--api: {url!r} is no http or https URL", hint=EXAMPLE)
    if parts.username or parts.password:
        raise UsageError("--api: no names or keys in the URL", hint=f"export {KEY}=…")
    return parts.geturl().rstrip("/")


def make_own_files(home: Home) -> Home:
    """The folders for drafts, history and logs of a home elsewhere, made if need be."""
    for folder in (home.root, home.run, home.logs, home.drafts):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home


def _is_in_clear(address: str) -> bool:
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def _own_files(address: str) -> Path:
    from hashlib import sha256

    from platformdirs import user_state_path

    name = "".join(one if one.isalnum() or one in ".-" else "_" for one in address)
    digest = sha256(address.encode()).hexdigest()[:12]
    return user_state_path("skill-agent") / "elsewhere" / f"{name[:60]}-{digest}"
