"""`ska init`: makes a home, chooses a model and fetches what is missing; changes nothing twice.

Nothing is fetched without a person's word or the command itself; other commands never do.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import SkillAgentError
from skill_agent.files.home import Home
from skill_agent.files.private import read_text, write_private

from ..options import YesOption, single
from ..output import emit_text, narrate
from ..surroundings import Surroundings, on_this_machine
from .fetching import fetch, size_text

if TYPE_CHECKING:
    from skill_agent.models.providers import Provider

EMBEDDED = "embedded/"

app = single()


@app.command()
def init(
    ctx: typer.Context,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            metavar="NAME",
            help="Default model: one of `ska models list`, or any provider/model.",
        ),
    ] = None,
    yes: YesOption = False,
    no_pull: Annotated[bool, typer.Option("--no-pull", help="Fetch no model now.")] = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Use no network: fetch nothing, look for nothing.")
    ] = False,
) -> None:
    """Set up a home: settings, agents, skills and a model.

    Run it as often as you like: what is there stays as it is, what is missing is added. The
    default model runs on this machine and needs no key; an Ollama that is running or a key in the
    environment is offered instead.

    \b
    Examples:
      ska init
      ska init --yes --model smollm2-135m
      ska init --model openai/gpt-4o-mini --no-pull
      ska --home /tmp/trial init --offline
    """  # fmt: skip
    around = on_this_machine(ctx)
    home = set_up(around, model=model, yes=yes, pull=not (no_pull or offline), look=not offline)
    emit_text(str(home.root))


def set_up(
    around: Surroundings,
    *,
    model: str | None = None,
    yes: bool = False,
    pull: bool = True,
    look: bool = True,
) -> Home:
    """Makes the home whole; narrates on stderr. Raises ConfigError, NotFound or PullFailed."""
    from ..opening.home_files import init_home, read_settings

    home = around.home
    asked = not yes and around.interactive
    chosen = _named(model, home) if model else ""
    if home.exists:
        read_settings(home)  # a mistake in it is told before anything else happens
    else:
        chosen = chosen or _choose(around, asked=asked, look=look)
    made = init_home(home, {"models.default": chosen} if chosen else None)
    narrate(f"made {', '.join(made)} in {home.root}" if made else f"{home.root} is set up")
    if chosen and read_settings(home).models.default != chosen:
        _set_default(home, chosen)
    settings = read_settings(home)
    wanted = (settings.models.roles.embed, settings.models.default)
    missing = [name for name in wanted if name.startswith(EMBEDDED) and not _here(name, home)]
    if pull:
        _fetch(around, home, missing, asked=asked)
        missing = [name for name in missing if not _here(name, home)]
    asleep = not home.kv_cache.is_dir() or not any(home.kv_cache.iterdir())
    if pull and asleep and settings.models.default.startswith(EMBEDDED) and not missing:
        _wake(around, home, settings.general.default_agent)
    _say_next(settings.models.default, missing)
    return home


def _named(model: str, home: Home) -> str:
    """`provider/model`; a bare name must be one of the catalogue's or a file of the person's own.
    Raises NotFound."""
    if "/" in model and not model.startswith(EMBEDDED):
        return model
    from skill_agent.models.files.catalogue import entry
    from skill_agent.models.files.installed import loose_file

    bare = model.removeprefix(EMBEDDED)
    return EMBEDDED + (bare if loose_file(bare, home) else entry(bare).name)


def _choose(around: Surroundings, *, asked: bool, look: bool) -> str:
    """The default model of a new home; a person is offered what the machine has besides."""
    from skill_agent.models.files.catalogue import default_for_memory, total_memory

    name, warning = default_for_memory(total_memory())
    others = _providers() if look else []
    if asked and others:
        return _ask_which(around, name, warning, others)
    if warning:
        narrate(f"warning: {warning}")
    for other in others:
        narrate(f"{other.label}; to use it: ska init --model {other.model}")
    return name


def _ask_which(
    around: Surroundings, embedded: str, warning: str, others: "Sequence[Provider]"
) -> str:
    narrate("Which model shall the agents think with?")
    narrate(f"  1  {embedded}, on this machine, no key" + (f" ({warning})" if warning else ""))
    for number, other in enumerate(others, start=2):
        narrate(f"  {number}  {other.model}, {other.label}")
    names = [embedded, *(other.model for other in others)]
    while True:
        said = around.read_line(f"1-{len(names)} [1] ").strip() or "1"
        if said.isdecimal() and 1 <= int(said) <= len(names):
            return names[int(said) - 1]


def _providers() -> "list[Provider]":
    """What could be used at once, with a model to begin with."""
    from skill_agent.models.providers import detect_providers

    return [one for one in detect_providers(os.environ) if one.state == "ready" and one.model]


def _here(name: str, home: Home) -> bool:
    from skill_agent.models.files.installed import installed

    return installed(name, home)


def _fetch(around: Surroundings, home: Home, missing: Sequence[str], *, asked: bool) -> None:
    from skill_agent.models.files.catalogue import entry

    for name in missing:
        model = entry(name)
        size = size_text(model.size)
        if asked and not around.confirm(f"Fetch {model.title} ({size}, {model.licence})?"):
            continue
        narrate(f"fetching {model.title} ({size}, {model.licence}): {model.good_at}")
        fetch(around, home, name)


def _wake(around: Surroundings, home: Home, agent: str) -> None:
    """Lets the default agent read its instructions now: the first reply then starts in seconds."""

    async def prepare() -> None:
        async with around.open_home(role="init") as runtime:
            narrate(
                f"waking {(await runtime.agents.get(agent)).name}: reading the instructions, once"
            )
            await runtime.turns.prepare(agent)

    try:
        asyncio.run(prepare())
    except SkillAgentError as problem:
        narrate(f"not now: {problem.message}")


def _set_default(home: Home, name: str) -> None:
    """Sets `models.default` in config.toml and leaves everything else in it alone."""
    import tomlkit

    document = tomlkit.parse(read_text(home.config))
    document.setdefault("models", tomlkit.table())["default"] = name
    write_private(home.config, tomlkit.dumps(document))
    narrate(f"the default model is now {name}")


def _say_next(model: str, missing: Sequence[str]) -> None:
    for name in missing:
        narrate(f"not here yet: {name}; ska models pull {name.removeprefix(EMBEDDED)}")
    if missing and model in missing:
        return
    narrate(f"ready with {model}. Next:")
    narrate('  ska ask "@kyra hello"   one question')
    narrate("  ska                     the workstation")
