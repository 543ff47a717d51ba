"""`ska models`: what models there are, fetching them and trying one out.

Only `test` opens the home, for it needs the gateway of the runtime.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.files.home import Home

from ..opening.running import ready_home, with_runtime
from ..options import JsonOption, group
from ..output import emit_json, emit_text, narrate, plain, table, without_controls
from ..surroundings import on_this_machine, surroundings
from .fetching import fetch, size_text

if TYPE_CHECKING:
    from skill_agent.values import ModelInfo

app = group("See, fetch and test models.")

NameArgument = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Model; the default one where left out.")
]


@app.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the models you can use now or fetch.

    Any other `provider/model` that litellm knows can be named too, with its key in the
    environment.

    \b
    Examples:
      ska models list
      ska models list --json | jq '.[] | select(.installed)'
    """
    found = _catalogue(ctx)
    if as_json:
        emit_json([{"id": one.name, **plain(one)} for one in found])
        return
    table(
        ("model", "here", "size", "licence", "roles", "note"),
        (
            (one.name, one.installed, size_text(one.size_bytes), one.licence, one.roles, one.note)
            for one in found
        ),
    )


@app.command()
def pull(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `ska models list` shows it.")],
    as_json: JsonOption = False,
) -> None:
    """Fetch a model into the home.

    A broken download is taken up where it stopped. The file is used only when its checksum is
    right; until then the next source is tried.

    \b
    Examples:
      ska models pull qwen2.5-coder-1.5b
      ska models pull all-minilm-l6-v2
    """
    around = on_this_machine(ctx)
    path = fetch(around, ready_home(around), name)
    if as_json:
        emit_json({"id": f"embedded/{name.removeprefix('embedded/')}", "path": str(path)})
    else:
        emit_text(str(path))


@app.command()
def test(
    ctx: typer.Context,
    name: NameArgument = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a model a short question and time it.

    A remote model is really called: that costs a few tokens.

    \b
    Examples:
      ska models test
      ska models test openai/gpt-4o-mini
    """
    found = with_runtime(ctx, lambda runtime: runtime.models.test(name, progress=_aside))
    said = without_controls(found.text.strip())
    if as_json:
        emit_json({"ok": True, **plain(found), "text": said})
        return
    emit_text(said)
    narrate(
        f"{found.id}: first word after {found.first_token_s:g} s, "
        f"{found.usage.completion_tokens} tokens in {found.seconds:g} s"
    )


@app.command()
def path(ctx: typer.Context, name: NameArgument = None, as_json: JsonOption = False) -> None:
    """Print where models lie, or where one does.

    \b
    Examples:
      ska models path
      du -sh "$(ska models path qwen2.5-coder-1.5b)"
    """
    home = on_this_machine(ctx).home
    where = _where(home, name) if name else home.models
    if as_json:
        emit_json({"id": name or "models", "path": str(where), "exists": where.exists()})
    else:
        emit_text(str(where))


def _catalogue(ctx: typer.Context) -> "list[ModelInfo]":
    around = surroundings(ctx)
    if around.api:
        return with_runtime(ctx, lambda runtime: runtime.models.list())
    home = around.home
    from skill_agent.models.gateway import Gateway
    from skill_agent.settings.schema import Settings

    from ..opening.home_files import read_settings

    settings = read_settings(home) if home.exists else Settings()
    return Gateway(settings, home).catalogue()


def _where(home: Home, name: str) -> Path:
    from skill_agent.models.files.catalogue import entry
    from skill_agent.models.files.installed import folder_of, loose_file

    return loose_file(name, home) or folder_of(home.models, entry(name))


def _aside(_done: int, _total: int, what: str) -> None:
    narrate(what)
