"""A home that is served somewhere else (`--api URL`): its address, and what of it lies here.

Its key comes from the environment alone, for a command line can be read by others.
"""

import os
from pathlib import Path

from skill_agent.errors import UsageError
from skill_agent.files.home import Home

KEY = "SKILL_AGENT_API_KEY"
EXAMPLE = "for example --api https://ska.example.org"


def key() -> str:
    """The key of the remote home; empty where none was given."""
    return os.environ.get(KEY, "")


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


def is_in_clear(address: str) -> bool:
    """Whether what is sent there can be read on the way."""
    from urllib.parse import urlsplit

    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1")


def own_files(address: str) -> Path:
    """Where this machine keeps drafts, history and logs for the home at an address."""
    from hashlib import sha256

    from platformdirs import user_state_path

    name = "".join(one if one.isalnum() or one in ".-" else "_" for one in address)
    digest = sha256(address.encode()).hexdigest()[:12]
    return user_state_path("skill-agent") / "elsewhere" / f"{name[:60]}-{digest}"


def make_own_files(home: Home) -> Home:
    """Makes those folders if need be."""
    for folder in (home.root, home.run, home.logs, home.drafts):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home
