"""The files a home begins with, and the settings in them; nothing is opened here."""

import os
from typing import TYPE_CHECKING, Any

from skill_agent.files.home import Home

if TYPE_CHECKING:
    from skill_agent.settings.schema import Settings


def init_home(home: Home, chosen: dict[str, Any] | None = None) -> list[str]:
    """Makes what a home lacks and leaves the rest alone; returns the names of what was made.

    `chosen` are settings by dotted key for a new config.toml. Raises StoreError where a restored
    home waits to take this place.
    """
    from skill_agent.backups.unfinished import check_not_half_restored
    from skill_agent.files.bundled import bundled_agents_path
    from skill_agent.files.private import write_private
    from skill_agent.settings.template import default_config_text

    check_not_half_restored(home)
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
    from skill_agent.files.private import read_text
    from skill_agent.settings.parsing import parse_settings

    settings, _ = parse_settings(read_text(home.config), str(home.config), dict(os.environ))
    return settings
