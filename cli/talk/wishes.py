"""What a command line says about one reply: instructions, options of the model, a form for it.

Only read here; what an option may be is the turn's business.
"""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skill_agent.errors import UsageError

if TYPE_CHECKING:
    from skill_agent.values import Image

SystemOption = Annotated[
    str | None,
    typer.Option(
        "--system", "-s", metavar="TEXT", help="Instructions beside the agent's own, not kept."
    ),
]
ModelOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--option", "-o", metavar="KEY=VALUE", help="Say how the model speaks: temperature=0, …"
    ),
]
SchemaOption = Annotated[
    str | None,
    typer.Option(
        "--schema",
        metavar="SCHEMA",
        help="Reply in JSON of this schema: a file, or `name, age int`.",
    ),
]

ImageOption = Annotated[
    list[Path] | None,
    typer.Option("--image", "-i", metavar="FILE", help="Show a PNG, JPEG, WebP or GIF."),
]

ExtractOption = Annotated[
    bool, typer.Option("--extract", "-x", help="Print only the last code block of the reply.")
]
TemplateOption = Annotated[
    str | None,
    typer.Option("--template", "-t", metavar="NAME", help="Say it as templates/NAME.md does."),
]

InOption = Annotated[
    Path | None,
    typer.Option(
        "--in", metavar="DIR", help="Where an agent on an outside program works from now on."
    ),
]

_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
_FIELD = re.compile(r"(?P<name>[\w-]+)(?:\s+(?P<type>\w+))?\s*(?::\s*(?P<about>.*))?$", re.DOTALL)


def options_of(said: list[str] | None) -> dict[str, Any] | None:
    """`KEY=VALUE` texts as values, numbers and truth values as such; a key said twice is a list.

    None where nothing was said; raises UsageError for a text without `=`.
    """
    options: dict[str, Any] = {}
    for text in said or ():
        key, found, value = text.partition("=")
        if not found or not key.strip():
            raise UsageError(
                f"-o {text!r} is not KEY=VALUE", hint="such as -o temperature=0.2 -o max_tokens=200"
            )
        _add(options, key.strip(), value)
    return options or None


def _add(options: dict[str, Any], key: str, text: str) -> None:
    value = text if key == "stop" else _value(text)
    if key in options:
        before = options[key] if isinstance(options[key], list) else [options[key]]
        value = [*before, value]
    options[key] = value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def schema_of(said: str | None) -> dict[str, Any] | None:
    """A schema from a file, from JSON on the command line, or from its short form."""
    if said is None:
        return None
    text, path = said.strip(), Path(said).expanduser()
    if not text:
        raise UsageError("--schema is empty", hint="a file, or a short form: 'name, age int'")
    if text[0] in "{[":
        return _schema_json(text, "--schema")
    if _is_file(path):
        return _schema_json(path.read_text(encoding="utf-8", errors="replace"), str(path))
    if path.suffix == ".json" or "/" in text.partition(":")[0]:
        raise UsageError(f"there is no file {said}", hint="or a short form: 'name, age int'")
    return _short_schema(text)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # a short form that is no path at all


def _schema_json(text: str, where: str) -> dict[str, Any]:
    try:
        schema = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is not JSON: {str(error)[:100]}") from None
    if not isinstance(schema, dict):
        raise UsageError(f"{where} is no JSON schema: it is not an object")
    return schema


def _short_schema(text: str) -> dict[str, Any]:
    """`name, age int, bio: about them`: fields of an object, all required, text unless said."""
    separator = "\n" if "\n" in text else ","
    properties: dict[str, Any] = {}
    for part in filter(None, (one.strip() for one in text.split(separator))):
        field = _FIELD.match(part)
        if field is None or (field["type"] or "str") not in _TYPES:
            raise UsageError(
                f"--schema: {part!r} is no field", hint="NAME, or NAME int|float|bool|str: WHAT"
            )
        about = {"description": field["about"].strip()} if field["about"] else {}
        properties[field["name"]] = {"type": _TYPES[field["type"] or "str"], **about}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def images_of(files: list[Path] | None) -> "tuple[Image, ...]":
    """Pictures from files; raises UsageError for one that cannot be read or is none."""
    if not files:
        return ()
    from skill_agent.conversations.images import checked_images, image_of

    return checked_images([image_of(_bytes(file), str(file)) for file in files])


def folder_of(said: Path | None, *, elsewhere: bool) -> str:
    """The whole path of a folder, "" for none; raises UsageError where there is none. On another
    machine, `elsewhere`, nobody here can tell."""
    if said is None:
        return ""
    folder = said.expanduser()
    if elsewhere:
        if not folder.is_absolute():
            raise UsageError("--in takes the whole path on the home's own machine")
        return str(folder)
    if not folder.is_dir():
        raise UsageError(f"--in: there is no folder {said}", hint="make it first: mkdir -p …")
    return str(folder.resolve())


def folder_here(*, elsewhere: bool) -> str:
    """The working directory, as a folder to work in; "" where it is none for that: the person's
    whole home, the root of the disk, one that is gone, or another machine's."""
    try:
        here = Path.cwd()
    except OSError:
        return ""
    return "" if elsewhere or here in (Path.home(), Path(here.anchor)) else str(here)


def _bytes(file: Path) -> bytes:
    try:
        return file.expanduser().read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror or error}") from None
