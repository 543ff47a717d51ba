"""`ska mcp list|test|tools|logs|add|remove`: servers whose tools agents may use."""

import typer


def register(app: typer.Typer) -> None:
    """Puts the commands on their group."""
