"""`ska mcp install|uninstall|status`: the home in other programs' settings."""

import typer


def register(app: typer.Typer) -> None:
    """Puts the commands on their group."""
