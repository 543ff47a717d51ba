"""Where the seed data lies: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path

import skill_agent


def bundled_skills_path() -> Path:
    """The folder of the skills that come with the product."""
    return _bundled("skills")


def bundled_agents_path() -> Path:
    """The agents.toml that a new home begins with."""
    return _bundled("agents.toml")


def _bundled(name: str) -> Path:
    package = Path(skill_agent.__path__[0]).resolve()
    # Not `skill_agent/skills`: data and code of one name would become one folder in a wheel.
    installed = package / "bundled" / name
    return installed if installed.exists() else package.parent / name
