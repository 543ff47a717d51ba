"""`ska mcp serve`: the home over standard streams."""

import typer


def register(app: typer.Typer) -> None:
    """Puts the command on its group."""
