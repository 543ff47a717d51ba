"""`ska templates`: messages kept as files, for `ska ask -t NAME`."""

from typing import Annotated

import typer

from ..opening.running import ready_home
from ..options import JsonOption, group
from ..output import emit_json, emit_text, table
from ..surroundings import surroundings

app = group("See and find the messages you keep as templates.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the template.")]


@app.command("list")
def list_templates(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the templates of the home.

    \b
    Examples:
      ska templates list
      ska templates list --json | jq -r .[].id
    """
    from skill_agent.turns.templates import template_file, template_names

    home = ready_home(surroundings(ctx))
    files = {name: template_file(home, name) for name in template_names(home)}
    if as_json:
        emit_json([{"id": name, "path": str(file)} for name, file in files.items()])
        return
    rows = [(name, str(file)) for name, file in files.items()]
    table(("template", "file"), rows, empty=f"no templates; make {home.templates}/NAME.md")


@app.command()
def show(ctx: typer.Context, name: NameArgument, as_json: JsonOption = False) -> None:
    """Show a template as it is written.

    \b
    Examples:
      ska templates show review
      ska templates show review --json | jq .options
    """
    from skill_agent.files.private import read_text
    from skill_agent.turns.templates import read_template, template_file

    home = ready_home(surroundings(ctx))
    template = read_template(home, name)
    if as_json:
        fields = ("text", "agent", "model", "system", "options")
        emit_json({"id": name, **{field: getattr(template, field) for field in fields}})
        return
    emit_text(read_text(template_file(home, name)).rstrip())


@app.command()
def path(ctx: typer.Context, name: NameArgument) -> None:
    """Print where a template is, or would be, and make its folder.

    \b
    Example:
      $EDITOR "$(ska templates path review)"
    """
    from skill_agent.turns.templates import template_file

    home = ready_home(surroundings(ctx))
    file = template_file(home, name)
    file.parent.mkdir(mode=0o700, exist_ok=True)
    emit_text(str(file))
