"""skill-agent: a team of named agents that never forget, on one machine.

`open_home` is the entry point for scripts; everything else is reached through the runtime it gives.
"""

from pathlib import Path

__version__ = "0.1.0"
__all__ = ["__version__", "open_home"]  # pyright: ignore[reportUnsupportedDunderAll]

# In a checkout the siblings (tui, cli, store …) lie beside this folder, not inside it.
_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "pyproject.toml").is_file():
    __path__.append(str(_checkout))


def __getattr__(name: str) -> object:
    """Resolves `open_home` at first use, so that importing the package stays light."""
    if name == "open_home":
        # Found at run time; the source tree has it beside this folder, not below.
        from skill_agent.cli.compose import open_home  # pyright: ignore[reportMissingImports]

        return open_home
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
