"""`ska models`: what models there are, fetching them and trying one out.

Only `test` opens the home, for it needs the gateway of the runtime.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.errors import ModelUnavailable, NotFound, UsageError
from skill_agent.files.home import Home

from ..opening.running import ready_home, with_runtime
from ..options import JsonOption, group, slug_of
from ..output import emit_json, emit_text, narrate, plain, table, without_controls
from ..surroundings import Surroundings, on_this_machine, surroundings
from .fetching import fetch_wanted
from .model_listing import listing

if TYPE_CHECKING:
    from skill_agent.models.files.reference import Wanted
    from skill_agent.settings.schema import Settings
    from skill_agent.values import BudgetCheck, ModelInfo, TierInfo
    from skill_agent.workstation import Workstation

app = group("See, fetch and test models.")

NameArgument = Annotated[
    str | None, typer.Argument(metavar="NAME", help="Model; the default one where left out.")
]


@app.command("list")
def list_(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """List the models you can use now or fetch.

    Those to run on this machine stand with their size, the memory they take, what they are good
    at, their languages, and how they did in our own evaluation where it ran; then files of your
    own, what a running Ollama has, and models named in config.toml. Any other `provider/model`
    that litellm knows can be named too, with its key in the environment.

    \b
    Examples:
      ska models list
      ska models list --json | jq '.[] | select(.installed)'
    """
    found = _catalogue(ctx)
    if as_json:
        emit_json([{"id": one.name, **plain(one)} for one in found])
        return
    for line in listing(found):
        emit_text(line)


@app.command()
def pull(
    ctx: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="As `ska models list` shows it, hf:OWNER/REPO/FILE.gguf or a file."
        ),
    ],
    sha256: Annotated[
        str,
        typer.Option(
            "--sha256", metavar="DIGEST", help="Of an hf: file; the hub is asked where left out."
        ),
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Fetch a model into the home.

    A broken download is taken up where it stopped. The file is used only when its checksum is
    right; until then the next source is tried. A GGUF file on this machine is linked in, or copied
    from another disk. HF_ENDPOINT names a mirror of the hub.

    \b
    Examples:
      ska models pull qwen3.5-4b
      ska models pull hf:bartowski/Qwen_Qwen3-8B-GGUF/Qwen_Qwen3-8B-Q4_K_M.gguf
      ska models pull ~/Downloads/mine.gguf
    """
    around = on_this_machine(ctx)
    if sha256 and not name.startswith("hf:"):
        raise UsageError("--sha256 goes with an hf: file", hint="leave it out")
    if name.startswith("ollama/"):
        _of_ollama(around, name, as_json=as_json)
        return
    home = ready_home(around)
    wanted = _wanted(name, sha256, home)
    path = fetch_wanted(around, home, wanted)
    identity = f"embedded/{wanted.entry.name}"
    if as_json:
        emit_json({"id": identity, "path": str(path)})
        return
    emit_text(str(path))
    if wanted.entry.kind == "chat":
        narrate(f"to try it: ska models test {identity}; to make it the default: "
                f"ska init --model {identity}")  # fmt: skip


@app.command()
def test(
    ctx: typer.Context,
    name: NameArgument = None,
    team: Annotated[
        bool, typer.Option("--team", help="Whether it knows when to ask another agent.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Ask a model a short question and time it.

    A remote model is really called: that costs a few tokens. With --team it is tried in nine
    situations instead; where it does well, and delegation_by_models is on in [features],
    agents may give work to one another by it.

    \b
    Examples:
      ska models test
      ska models test openai/gpt-4o-mini
      ska models test openai/gpt-4o --team
    """
    if team:
        _prove(ctx, name, as_json=as_json)
        return
    found = with_runtime(ctx, lambda runtime: runtime.models.test(name, progress=_aside))
    said = without_controls(found.text.strip())
    if as_json:
        emit_json({"ok": True, **plain(found), "text": said})
        return
    emit_text(said)
    narrate(
        f"{found.id}: first word after {found.first_token_s:g} s, "
        f"{found.usage.completion_tokens} tokens in {found.seconds:g} s; "
        + ("it fills in a form as asked" if found.structured else "it cannot fill in a form")
    )


def _prove(ctx: typer.Context, name: str | None, *, as_json: bool) -> None:
    narrate("trying it in some situations; on this machine that takes a minute")
    found = with_runtime(ctx, lambda runtime: runtime.mail.prove(name))
    if as_json:
        emit_json(plain(found))
        return
    verdict = "may ask other agents by itself" if found.able else "is better helped by code"
    emit_text(f"{found.id} {verdict}: {found.right} of {found.of} situations met")
    for message in found.wrong:
        narrate(f"not met: {message}")


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


@app.command()
def tiers(
    ctx: typer.Context,
    agent: Annotated[
        str | None, typer.Option("--agent", "-a", metavar="NAME", help="As this agent has them.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the tiers messages are answered on, with their models and prices.

    Their models are named in [models.roles] of config.toml, or by an agent's custom_tiers in
    agents.toml. Where they are not all the same, each message is answered on the tier it needs,
    up to the agent's max_tier.

    \b
    Examples:
      ska models tiers
      ska models tiers --agent luke --json
    """

    async def work(station: "Workstation") -> "tuple[list[TierInfo], BudgetCheck]":
        slug = await slug_of(station, agent)
        return await station.tiers.list(agent=slug), await station.tiers.budget(agent=slug)

    found, money = with_runtime(ctx, work)
    if as_json:
        emit_json([plain(one) for one in found])
        return
    table(
        ("tier", "model", "in $/1k", "out $/1k", "named"),
        [(one.id, one.model, *_prices(one), _standing(one)) for one in found],
    )
    narrate(money.reason)


def _prices(tier: "TierInfo") -> tuple[str, str]:
    if tier.cost_per_1k_input is None or tier.cost_per_1k_output is None:
        return "unknown", "unknown"
    if not tier.cost_per_1k_input and not tier.cost_per_1k_output:
        return "free", "free"
    return f"{tier.cost_per_1k_input:g}", f"{tier.cost_per_1k_output:g}"


def _standing(tier: "TierInfo") -> str:
    told = [tier.source]
    told += [] if tier.allowed else ["above max_tier"]
    told += [] if tier.usable else ["cannot answer now: ska doctor"]
    return "; ".join(told)


def _wanted(name: str, sha256: str, home: Home) -> "Wanted":
    from skill_agent.models.files.catalogue import entry
    from skill_agent.models.files.reference import HUB_PREFIX, Wanted, hub_file, is_file_name
    from skill_agent.models.files.reference import own_file as file_of_their_own

    if name.startswith(HUB_PREFIX):
        return hub_file(name, sha256, home, os.environ)
    if is_file_name(name):
        return file_of_their_own(Path(name), home)
    return Wanted(entry=entry(name))


def _of_ollama(around: Surroundings, name: str, *, as_json: bool) -> None:
    """Ollama keeps its models itself: says how to use one that is there, or to get it."""
    from skill_agent.models.providers import ollama_base, ollama_models
    from skill_agent.text.nearest import did_you_mean

    settings = _settings(around.home)
    base = ollama_base(settings.models, os.environ)
    found = ollama_models(base)
    if found is None:
        raise ModelUnavailable(f"no Ollama answers at {base}", hint="ollama serve")
    there = next((one for one in (name, f"{name}:latest") if one in found), None)
    if there is None:
        near = did_you_mean(name, list(found))
        bare = name.removeprefix("ollama/")
        raise NotFound(f"Ollama has no model {bare!r}", hint=near or f"ollama pull {bare}")
    if as_json:
        emit_json({"id": there, "path": None})
    else:
        emit_text(there)
        narrate(f"it is there already; to make it the default: ska init --model {there}")


def _catalogue(ctx: typer.Context) -> "list[ModelInfo]":
    around = surroundings(ctx)
    if around.api:
        return with_runtime(ctx, lambda runtime: runtime.models.list())
    from skill_agent.models.gateway import Gateway

    gateway = Gateway(_settings(around.home), around.home)
    found = gateway.catalogue()
    named = {one.name for one in found}
    return [*found, *(one for one in gateway.ollama() if one.name not in named)]


def _settings(home: Home) -> "Settings":
    from skill_agent.settings.schema import Settings

    from ..opening.home_files import read_settings

    return read_settings(home) if home.exists else Settings()


def _where(home: Home, name: str) -> Path:
    from skill_agent.models.files.catalogue import entry
    from skill_agent.models.files.installed import folder_of, loose_file

    return loose_file(name, home) or folder_of(home.models, entry(name))


def _aside(_done: int, _total: int, what: str) -> None:
    narrate(what)
