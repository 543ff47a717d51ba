"""Agents as Markdown documents for other programs, kept in step with what the agents are.

What was exported where stands in `agent_pages.json` of the home. A page somebody edited since is
theirs: it is left alone and told. The ledger is read by whoever hands in the figures.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args

from skill_agent.conversations.usage import usage_of
from skill_agent.errors import ConfigError, UsageError
from skill_agent.files.home import Home
from skill_agent.files.private import read_json, read_text, write_private
from skill_agent.ports import Ledger
from skill_agent.text.redaction import masked
from skill_agent.values import Page, PageFormat, Pages

from .directory import AgentDirectory
from .dna import AgentDNA
from .identity import identity_text

CLAUDE_AGENTS = Path("~/.claude/agents")
"""Where Claude Code looks for a person's agents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFigures:
    """What an agent has done so far."""

    turns: int = 0
    """Replies it finished."""
    liked: int = 0
    disliked: int = 0
    tokens: int = 0
    cost_usd: float = 0.0

    @property
    def trust(self) -> float:
        """Share of good ratings with one good and one bad assumed (rule of succession), 0..1."""
        return (self.liked + 1) / (self.liked + self.disliked + 2)


async def figures(ledger: Ledger) -> dict[str, AgentFigures]:
    """Each agent's figures, counted from the log."""
    found: dict[str, AgentFigures] = {}
    rated: dict[str, tuple[str, str]] = {}  # by reply: its agent, as far as it is told, and how
    after = 0
    while rows := await ledger.log(kinds=("usage", "feedback"), after=after, limit=5_000):
        for row in rows:
            if row.kind == "usage":
                one, used = found.get(row.actor, AgentFigures()), usage_of(row)
                found[row.actor] = replace(
                    one,
                    turns=one.turns + 1,
                    tokens=one.tokens + used.prompt_tokens + used.completion_tokens,
                    cost_usd=one.cost_usd + used.cost_usd,
                )
            elif row.new:  # one that was not erased
                agent, rating = row.new.get("agent"), row.new.get("rating")
                rated[row.entity] = (agent if isinstance(agent, str) else "", str(rating))
        after = rows[-1].seq
    untold = [reply for reply, (agent, _) in rated.items() if not agent]
    replies = await ledger.messages_by_id(untold)  # older versions noted the reply alone
    for reply, (told, rating) in rated.items():  # a reply's last rating counts
        agent = told or (replies[reply].agent if reply in replies else None)
        if not agent:
            continue
        one = found.get(agent, AgentFigures())
        up, down = one.liked + (rating == "up"), one.disliked + (rating == "down")
        found[agent] = replace(one, liked=up, disliked=down)
    return found


class AgentPages:
    """The exported documents of one home."""

    def __init__(self, home: Home, directory: AgentDirectory) -> None:
        self._file = home.root / "agent_pages.json"
        self._directory = directory

    @property
    def any(self) -> bool:
        """Whether something was ever exported."""
        return self._file.exists()

    def export(
        self,
        agents: Iterable[AgentDNA],
        *,
        to: Path,
        page_format: PageFormat,
        done: Mapping[str, AgentFigures],
        force: bool = False,
    ) -> Pages:
        """Writes one document an agent into a folder and keeps them in step from now on.

        Raises UsageError where a file of another origin is in the way, unless `force`.
        """
        folder = to.expanduser().absolute()
        known, _ = self._read()
        agents = list(agents)
        for dna in agents:
            path = folder / f"{dna.slug}.md"
            if path.exists() and str(path) not in known and not force:
                raise UsageError(
                    f"{path} is there already and was not written by skill-agent",
                    hint="choose another folder with --to, or --force to replace it",
                )
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"cannot make {folder}: {error.strerror}", hint="--to DIR") from None
        for dna in agents:
            path = str(folder / f"{dna.slug}.md")
            known[path] = Page(agent=dna.slug, path=path, format=page_format, sha256="")
        return self._write(known, done, {dna.slug for dna in agents})

    def refresh(self, done: Mapping[str, AgentFigures] | None = None) -> Pages:
        """Writes every page whose agent is no longer what it says; None keeps the last figures.

        A page that was deleted is no longer kept; one that was edited is left alone.
        """
        known, stored = self._read()
        alive = {path: page for path, page in known.items() if Path(path).exists()}
        if not known:
            return Pages()
        return self._write(alive, stored if done is None else done, set())

    def _write(
        self, pages: dict[str, Page], done: Mapping[str, AgentFigures], wanted: set[str]
    ) -> Pages:
        """Writes what differs; agents in `wanted` overwrite whatever stands there."""
        agents = {dna.slug: dna for dna in self._directory.list()}
        written: list[Page] = []
        edited: list[str] = []
        for path, page in pages.items():
            if (dna := agents.get(page.agent)) is None:
                continue
            text = page_text(dna, done.get(dna.slug, AgentFigures()), page.format)
            if page.agent not in wanted and _digest_of(Path(path)) != page.sha256:
                edited.append(path)
                continue
            if _digest_of(Path(path)) != _digest(text):
                write_private(Path(path), text)
                written.append(replace(page, sha256=_digest(text)))
            pages[path] = replace(page, sha256=_digest(text))
        self._keep(pages, done)
        return Pages(written=tuple(written), edited=tuple(edited))

    def _read(self) -> tuple[dict[str, Page], dict[str, AgentFigures]]:
        try:
            data = read_json(self._file)
            pages = [_page(one) for one in data["pages"]]
            done = {slug: _figures(one) for slug, one in data["figures"].items()}
        except (ConfigError, ValueError, KeyError, TypeError, AttributeError):
            return {}, {}
        return {page.path: page for page in pages}, done

    def _keep(self, pages: Mapping[str, Page], done: Mapping[str, AgentFigures]) -> None:
        data: dict[str, Any] = {
            "pages": [asdict(page) for page in pages.values()],
            "figures": {slug: asdict(one) for slug, one in done.items()},
        }
        text = json.dumps(data, indent=2, ensure_ascii=False) + "\n"
        try:
            if read_text(self._file) == text:
                return
        except ConfigError:
            pass
        write_private(self._file, text)


def _page(kept: Mapping[str, Any]) -> Page:
    """Raises what a mapping does for a file that we did not write."""
    path = str(kept["path"])
    if kept["format"] not in get_args(PageFormat) or "\0" in path:
        raise ValueError(path)
    return Page(
        agent=str(kept["agent"]), path=path, format=kept["format"], sha256=str(kept["sha256"])
    )


def _figures(kept: Mapping[str, Any]) -> AgentFigures:
    whole = {name: int(kept[name]) for name in ("turns", "liked", "disliked", "tokens")}
    return AgentFigures(**whole, cost_usd=float(kept["cost_usd"]))


def page_text(dna: AgentDNA, done: AgentFigures, page_format: PageFormat) -> str:
    """One agent as a document, without credentials somebody wrote into it."""
    if page_format == "claude":
        head = _front_matter(dna) + identity_text(dna).strip()
    else:
        head = f"# {dna.name}" + (f" - {dna.tagline}" if dna.tagline else "")
    sections = "\n\n".join(part for part in _sections(dna, done) if part)
    return masked(f"{head}\n\n{sections}\n")


def _front_matter(dna: AgentDNA) -> str:
    """The header by which Claude Code knows when to call on the agent."""
    use = ", ".join(dna.boundaries.can_do)
    about = f"{dna.tagline or dna.name}." + (f" Use for: {use}." if use else "")
    # JSON strings are YAML strings.
    return f"---\nname: {dna.slug}\ndescription: {json.dumps(about, ensure_ascii=False)}\n---\n\n"


def _sections(dna: AgentDNA, done: AgentFigures) -> list[str]:
    ratings = done.liked + done.disliked
    told = f"{done.trust:.2f} ({ratings} ratings)" if ratings else f"{done.trust:.2f} (unrated)"
    identity = [f"Agent ID: {dna.slug}", f"Status: {dna.status}", f"Trust Score: {told}"]
    capabilities = [*dna.boundaries.can_do, *(f"skill: {one}" for one in dna.effective_skills)]
    persona = dna.personality
    style = f"{persona.tone}, {persona.verbosity}, {persona.formality}"
    traits = ", ".join(sorted(persona.traits, key=lambda one: -persona.traits[one]))
    figures_ = [
        f"Replies: {done.turns}",
        f"Rated good: {done.liked}",
        f"Rated bad: {done.disliked}",
        f"Tokens: {done.tokens}",
        f"Cost: ${done.cost_usd:.2f}",
    ]
    escalates = dna.boundaries.escalates_to
    return [
        "## Core Identity\n" + "\n".join(f"- {one}" for one in identity),
        _listed("Capabilities", capabilities),
        _listed("Boundaries", dna.boundaries.cannot_do),
        _listed("Collaboration Style", [f"Hands over to: {escalates}"] if escalates else ()),
        "## Invocation Style\n" + style + (f"; {traits}" if traits else ""),
        _listed("Performance Metrics", figures_),
    ]


def _listed(title: str, lines: Iterable[str]) -> str:
    body = "\n".join(f"- {line}" for line in lines)
    return f"## {title}\n{body}" if body else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _digest_of(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
