"""Parameters read without Typer's adapters mean the same as with them."""

from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from skill_agent.cli.plain_parameters import made_plain
from typer import core

CASES = [
    ([], None),
    (["word"], None),
    (["--number", "3"], None),
    (["--number", "0"], "not in the range"),
    (["--number", "11"], "not in the range"),
    (["--number", "three"], "integer"),
    (["--number", "1.5"], "integer"),
    (["--number", "+4"], None),
    (["--number", " 4 "], None),
    (["--text", ""], None),
    (["--many", "a", "--many", "b"], None),
    (["--flag"], None),
    (["--no-flag"], None),
    (["--file", "x.txt"], None),
    (["one", "two", "three"], None),
]


def _command(heard: dict[str, Any]) -> core.TyperCommand:
    app = typer.Typer()

    @app.command()
    def take(
        words: Annotated[list[str] | None, typer.Argument()] = None,
        number: Annotated[int, typer.Option(min=1, max=10)] = 5,
        text: str = "default",
        many: Annotated[list[str] | None, typer.Option()] = None,
        flag: Annotated[bool | None, typer.Option("--flag/--no-flag")] = None,
        file: Path | None = None,
    ) -> None:
        heard.update(locals())

    command = typer.main.get_command(app)
    assert isinstance(command, core.TyperCommand)
    return command


def _taken(arguments: list[str], *, plain: bool) -> tuple[dict[str, Any], str]:
    heard: dict[str, Any] = {}
    command = _command(heard)
    try:
        (made_plain(command) if plain else command).main(
            args=list(arguments), standalone_mode=False, prog_name="take"
        )
    except typer.TyperException as error:
        return {}, error.format_message()
    return {name: value for name, value in heard.items() if name != "heard"}, ""


@pytest.mark.parametrize(("arguments", "said"), CASES, ids=lambda case: str(case))
def test_the_same_as_typer(arguments: list[str], said: str | None) -> None:
    theirs, ours = _taken(arguments, plain=False), _taken(arguments, plain=True)
    assert ours == theirs
    assert bool(ours[1]) == bool(said)
