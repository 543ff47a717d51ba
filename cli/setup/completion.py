"""`ska completion`: what a shell needs to complete commands and values."""

from typing import Annotated

import typer

from ..lazy import COMPLETES
from ..options import choice, single
from ..output import emit_text

SHELLS = ("bash", "zsh", "fish")

app = single()


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print what a shell needs to complete commands, agents, sessions, models and ids.

    Values come from the home, within four seconds or not at all; with a host up at once.

    \b
    Examples:
      source <(ska completion bash)                       in ~/.bashrc
      ska completion zsh > ~/.zfunc/_ska                  with fpath+=~/.zfunc in ~/.zshrc
      ska completion fish > ~/.config/fish/completions/ska.fish

    \b
    Exit codes: 0 printed, 2 no such shell.
    """
    from typer._completion_shared import get_completion_script

    (known,) = choice("SHELL", shell, SHELLS)
    emit_text(get_completion_script(prog_name="ska", complete_var=COMPLETES, shell=known))
