"""skill-agent: a team of named agents that never forget, on one machine.

`open_home` is the entry point for scripts, `open_remote` for a home that is served elsewhere;
everything else is reached through the workstation they give.
"""

from pathlib import Path

__version__ = "0.1.0"
__all__ = ["__version__", "open_home", "open_remote"]  # pyright: ignore[reportUnsupportedDunderAll]

# In a checkout the siblings (tui, cli, store …) lie beside this folder, not inside it.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "pyproject.toml").is_file():
    __path__.append(str(_checkout))


def __getattr__(name: str) -> object:
    """Resolves what opens a home at first use, so that importing the package stays light."""
    if name in ("open_home", "open_remote"):
        # Found at run time; the source tree has it beside this folder, not below.
        import skill_agent.cli.opening.home as opening  # pyright: ignore[reportMissingImports]

        return getattr(opening, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
