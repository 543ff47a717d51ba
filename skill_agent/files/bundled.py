"""Where the seed data lies: beside the package in a checkout, inside it in a wheel."""

from pathlib import Path


def bundled_skills_path() -> Path:
    """The folder of the skills that come with the product."""
    return _bundled("skills")


def bundled_agents_path() -> Path:
    """The agents.toml that a new home begins with."""
    return _bundled("agents.toml")


def bundled_models_path() -> Path:
    """The catalogue of models that can be pulled."""
    return _bundled("models.toml")


def _bundled(name: str) -> Path:
    package = Path(__file__).resolve().parent.parent
    installed = package / "bundled" / name
    return installed if installed.exists() else package.parent / name
