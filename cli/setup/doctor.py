"""`ska doctor`: what is wrong, and the command that mends it.

Works on a home that is broken, in use or not there. The stores are looked into by the runtime,
never opened here; what it mends when it is asked to, `doctor_mending` does.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from skill_agent.backups.unfinished import check_not_half_restored
from skill_agent.errors import ConfigError, HomeBusy, SkillAgentError, UsageError
from skill_agent.files.home import Home
from skill_agent.files.refusals import is_read_only
from skill_agent.values import Finding

from ..backups.standing import backup_findings
from ..opening.options import utc_now
from ..opening.running import run_with
from ..options import JsonOption, YesOption, single
from ..output import emit_json, emit_text, narrate
from ..surroundings import Surroundings, on_this_machine
from .doctor_mending import accept_loss as mend_by_acceptance
from .doctor_mending import salvage as mend_by_salvage
from .doctor_models import model_findings, provider_findings
from .doctor_servers import server_findings
from .doctor_stores import not_opening, store_findings

if TYPE_CHECKING:
    from skill_agent.settings.schema import Settings
    from skill_agent.skills.book import SkillBook

LOW_DISK_BYTES = 1_000_000_000

app = single()


@app.command()
def doctor(
    ctx: typer.Context,
    salvage: Annotated[
        bool,
        typer.Option("--salvage", help="Take over what can be read of a damaged ledger."),
    ] = False,
    mend: Annotated[
        bool, typer.Option("--fix", help="Mend what can be mended without loss, after a question.")
    ] = False,
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Go on with a ledger that lost its end."),
    ] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find what is wrong and say what mends it.

    Looks at the home and its permissions, who holds it, settings, agents and skills, both stores
    and how far the index is behind, models, providers (without spending a token) and the
    terminal. Exit code 1 when something is broken, 0 for mere warnings.

    `--fix` does what is safe of what the findings advise: private files, missing folders and
    models, a search index made anew, a backup; then it looks again. With --yes nothing is asked.

    Where a backup can be brought back, do that first. `--salvage` makes a new ledger of what can be
    read of a damaged one and of the search index, shows what was found, and asks; the damaged files
    are kept beside it. `--accept-loss` goes on with a ledger whose last rows are gone.

    \b
    Examples:
      ska doctor
      ska doctor --fix
      ska doctor --salvage
      ska doctor --json | jq '.[] | select(.level != "ok")'
    """
    around = on_this_machine(ctx)
    if salvage + accept_loss + mend > 1:
        raise UsageError("--fix, --salvage and --accept-loss exclude each other")
    if salvage:
        mend_by_salvage(around, yes=yes, as_json=as_json)
        return
    if accept_loss:
        mend_by_acceptance(around, yes=yes)
        return
    found = _looked(around, quiet=as_json)
    if mend:
        from .doctor_fixing import fix

        if fix(around, found, yes=yes):
            narrate("looking again")
            found = _looked(around, quiet=as_json)
    if as_json:
        emit_json(found)
    errors = sum(finding.level == "error" for finding in found)
    warnings = sum(finding.level == "warning" for finding in found)
    narrate(f"{len(found)} checks: {errors} errors, {warnings} warnings")
    if errors:
        raise typer.Exit(1)


def _looked(around: Surroundings, *, quiet: bool) -> list[Finding]:
    """Every finding, each told as it is found."""
    found: list[Finding] = []
    for finding in findings(around):
        found.append(finding)
        if not quiet:
            _print(finding)
    return found


def findings(around: Surroundings) -> Iterator[Finding]:
    """Every finding, cheap and local ones first."""
    home = around.home
    yield from _guarded("home", lambda: _home_findings(home))
    settings: Settings | None = None
    if home.exists:
        yield from _private_findings(home)
        settings, config = _settings_findings(home)
        yield from config
        yield from _agent_findings(home)
        yield from _skill_findings(home)
        yield from _file_findings(around)
        yield from _store_findings(around, home)
        yield from _guarded("backup", lambda: backup_findings(home))
        yield from _guarded("mcp", lambda: server_findings(home, settings))
    yield from _guarded("models", lambda: model_findings(home, settings))
    yield from _guarded("providers", lambda: provider_findings(settings))
    yield from terminal_findings()


def _home_findings(home: Home) -> Iterator[Finding]:
    if not home.exists:
        check_not_half_restored(home)
        yield Finding(
            id="home", level="error", title="no home", detail=str(home.root), fix="ska init"
        )
        return
    if os.access(home.root, os.R_OK | os.W_OK | os.X_OK):
        yield _ok("home", "home", str(home.root))
    elif is_read_only(home.root):
        yield Finding(
            id="home", level="warning", title="the home is read-only",
            detail=f"{home.root}: it can be read, and nothing in it changed",
            fix="copy it to where it can be written, and name that: ska --home PATH",
        )  # fmt: skip
    else:
        yield Finding(
            id="home",
            level="error",
            title="home cannot be written",
            detail=str(home.root),
            fix=f"chown -R $(id -u) '{home.root}' && chmod -R u+rwX '{home.root}'",
        )
    missing = [one.name for one in (home.run, home.logs, home.models) if not one.is_dir()]
    if missing:
        yield Finding(
            id="home.folders", level="warning", title="folders are missing",
            detail=", ".join(missing), fix="ska init",
        )  # fmt: skip
    free = shutil.disk_usage(home.root).free
    if free < LOW_DISK_BYTES:
        yield Finding(
            id="disk", level="warning", title="little room on the disk",
            detail=f"{free / 1e6:.0f} MB free", fix=f"free some space on the disk of {home.root}",
        )  # fmt: skip


def _private_findings(home: Home) -> Iterator[Finding]:
    """Whether others may read the home. Files are only looked at, never opened: opening the
    ledger, even to read, would drop its database lock."""
    if os.name != "posix":
        return
    wanted = (home.root, home.config, home.agents, home.run, home.logs, home.ledger, home.rules)
    open_ = [one for one in wanted if one.exists() and one.stat().st_mode & 0o077]
    if not open_:
        yield _ok("permissions", "permissions", "only you can read the home")
        return
    yield Finding(
        id="permissions",
        level="warning",
        title="others can read the home",
        detail=", ".join(one.name for one in open_),
        fix=f"chmod -R go-rwx '{home.root}'",
    )


def _settings_findings(home: Home) -> "tuple[Settings | None, list[Finding]]":
    from ..opening.home_files import read_settings

    try:
        settings = read_settings(home)
    except ConfigError as error:
        return None, [_config_error("config", "settings", error, "ska config validate")]
    return settings, [_ok("config", "settings", f"{home.config.name} is in order")]


def _agent_findings(home: Home) -> Iterator[Finding]:
    from skill_agent.agents.directory import AgentDirectory
    from skill_agent.skills.book import SkillBook, skill_roots

    directory = AgentDirectory(home.agents, known_skills=SkillBook(skill_roots(home)).names)
    try:
        team = directory.team
    except ConfigError as error:
        yield _config_error("agents", "agents", error, "ska agents validate")
        return
    if directory.error:
        yield _config_error("agents.file", "agents", directory.error, "ska agents validate")
    active = [agent.slug for agent in team.agents if agent.status == "active"]
    if not active:
        yield Finding(
            id="agents", level="error", title="no agent is active",
            detail=", ".join(team.slugs), fix=f"ska agents activate {team.slugs[0]}",
        )  # fmt: skip
    else:
        yield _ok("agents", "agents", ", ".join(active))
    for number, warning in enumerate(team.warnings, start=1):
        yield Finding(
            id=f"agents.{number}", level="warning", title="agents",
            detail=str(warning), fix="ska agents validate",
        )  # fmt: skip


def _skill_findings(home: Home) -> Iterator[Finding]:
    from skill_agent.skills.book import SkillBook, skill_roots
    from skill_agent.tools.approvals import RuleBook

    book = SkillBook(skill_roots(home), rules=RuleBook(home.rules).rules)
    skills = book.skills()
    yield from _trust_findings(home, book)
    yield _ok("skills", "skills", f"{sum(skill.loaded for skill in skills)} loaded")
    for skill in skills:
        said = [skill.reason] if not skill.loaded else list(skill.warnings)
        if said:
            yield Finding(
                id=f"skills.{skill.name}", level="warning", title=f"skill {skill.name}",
                detail="; ".join(said), fix=f"ska skills validate '{Path(skill.path)}'",
            )  # fmt: skip


def _trust_findings(home: Home, skills: "SkillBook") -> Iterator[Finding]:
    """Skills an agent would use, which say nothing to it before a person has approved them."""
    from skill_agent.agents.directory import AgentDirectory
    from skill_agent.skills.trust import how_to_approve

    try:
        agents = AgentDirectory(home.agents).team.agents
    except ConfigError:
        return  # told with the agents
    users: dict[str, list[str]] = {}
    trust: dict[str, str] = {}
    for agent in agents:
        wanted = (*agent.effective_skills, *agent.craft_skill_names)
        for skill in skills.unapproved(wanted, agent.slug):
            users.setdefault(skill.name, []).append(agent.slug)
            trust[skill.name] = skill.trust
    for name, slugs in users.items():
        yield Finding(
            id=f"skills.{name}.trust", level="warning", title=f"skill {name} is {trust[name]}",
            detail=f"{', '.join(slugs)} would use it; read it first: ska skills show {name}",
            fix=how_to_approve(name),
        )  # fmt: skip


def _file_findings(around: Surroundings) -> Iterator[Finding]:
    """What else a person may have written in the home, where it cannot be read."""
    from skill_agent.access.keys import KeyRing, keys_file
    from skill_agent.tools.approvals import RuleBook
    from skill_agent.turns.templates import read_template, template_file, template_names

    home = around.home
    keys = keys_file(home.root)
    looks: dict[Path, Callable[[], object]] = {
        home.rules: RuleBook(home.rules).rules,
        keys: KeyRing(keys, utc_now).listed,
    }
    for name in template_names(home):
        looks[template_file(home, name)] = partial(read_template, home, name)
    for file, look in looks.items():
        try:
            look()
        except SkillAgentError as error:
            yield Finding(
                id=f"file.{file.name}", level="error", title=file.name, detail=error.message,
                fix=error.hint or f"mend it, or move it away: '{file}'",
            )  # fmt: skip


def _store_findings(around: Surroundings, home: Home) -> Iterator[Finding]:
    from ...store.lock import HomeLock

    holder = HomeLock(home.lock).holder()
    if holder is not None and not _answers(home):
        yield _held(holder.pid)
        return
    held = f"process {holder.pid} hosts the home, and answers" if holder else ""
    yield _ok("lock", "lock", held or "nobody holds the home")
    try:
        yield from run_with(around, store_findings, role="doctor")
    except HomeBusy as busy:
        yield _held(busy.pid or 0)
    except ConfigError:
        yield _unseen("stores", "not looked into until the settings are mended")
    except SkillAgentError as error:
        yield not_opening(error)
    except Exception as error:  # the outer wall: a broken store must not end the diagnosis
        yield Finding(
            id="stores", level="error", title="the home does not open",
            detail=f"{type(error).__name__}: {error}", fix="SKILL_AGENT_DEBUG=1 ska status",
        )  # fmt: skip


def terminal_findings() -> Iterator[Finding]:
    """What this terminal can show."""
    encoding = (sys.stdout.encoding or "").lower()
    size = shutil.get_terminal_size()
    term = os.environ.get("TERM", "")
    said = [
        f"{size.columns}x{size.lines}", encoding or "unknown encoding", f"TERM={term or 'unset'}",
        "no colours wanted (NO_COLOR)" if os.environ.get("NO_COLOR") else "",
        "" if sys.stdout.isatty() else "output is piped",
    ]  # fmt: skip
    detail = ", ".join(part for part in said if part)
    if encoding.replace("-", "") != "utf8":
        yield Finding(
            id="terminal", level="warning", title="the terminal does not speak UTF-8",
            detail=detail, fix="export LANG=C.UTF-8 PYTHONUTF8=1",
        )  # fmt: skip
    elif sys.stdout.isatty() and term in ("", "dumb"):
        yield Finding(
            id="terminal", level="warning", title="the terminal cannot draw a full screen",
            detail=detail, fix="ska chat",
        )  # fmt: skip
    else:
        yield _ok("terminal", "terminal", detail)


def _guarded(what: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    """Findings of a part whose own failure is a finding too."""
    try:
        yield from look()
    except SkillAgentError as error:
        yield Finding(id=what, level="error", title=what, detail=error.message, fix=error.hint)


def _config_error(name: str, title: str, error: ConfigError, fix: str) -> Finding:
    return Finding(id=name, level="error", title=title, detail=str(error), fix=fix)


def _answers(home: Home) -> bool:
    if not hasattr(os, "getuid"):
        return False  # no Unix sockets here
    from skill_agent.api.door.addresses import live_socket

    return live_socket(home) is not None


def _held(pid: int) -> Finding:
    who = f"process {pid}" if pid else "another process"
    return Finding(
        id="lock", level="warning", title="the home is in use",
        detail=f"by {who}; its stores were not looked into",
        fix=f"close it, then look again{f' (kill {pid} if it hangs)' if pid else ''}",
    )  # fmt: skip


def _unseen(name: str, detail: str) -> Finding:
    return Finding(id=name, level="warning", title=name, detail=detail, fix="ska config validate")


def _ok(name: str, title: str, detail: str) -> Finding:
    return Finding(id=name, level="ok", title=title, detail=detail)


def _print(finding: Finding) -> None:
    detail = f": {finding.detail}" if finding.detail else ""
    emit_text(f"{finding.level:7}  {finding.title}{detail}")
    if finding.fix and finding.level != "ok":
        emit_text(f"         mend it: {finding.fix}")
