"""One tool of a server, as an agent has it in one turn.

What the server says of the tool is a hint to whoever is asked and permits nothing; what a call
gives is a text of others.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from skill_agent.errors import ToolFailed
from skill_agent.mcp_client.calls import Connections, FoundTool, Result
from skill_agent.ports import ToolOutcome, ToolSpec
from skill_agent.text.flags import flags_of
from skill_agent.text.gate import tamed_line
from skill_agent.text.printing import printable
from skill_agent.text.redaction import masked, masked_within

from .naming import key_of
from .schemas import Broken, sound, told, without_words
from .telling import Steps
from .trust import Trust

LONGEST_RESULT = 200_000
"""Characters of a result that are looked at; the turn cuts it to the window."""
LONGEST_ARGUMENTS = 100_000
_LONGEST_TOLD, _LONGEST_TITLE = 400, 80
_LONGEST_MISTAKE = 300
_LONGEST_READ = 20_000
_SECRETLY = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)
_LEAST_SECRET = 8


@dataclass(frozen=True, kw_only=True)
class Sound:
    """A server's tool, made fit to be shown: to a model, and to the person."""

    found: FoundTool
    name: str
    """What it is offered as."""
    title: str = ""
    description: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why it is not offered."""

    @property
    def spec(self) -> ToolSpec:
        """As a model is told of it: what the server says stands in quotes, which it cannot end."""
        said = (self.description or self.title).replace('"', "'")
        of = f"Of the server {self.found.server}"
        told_so = f'{of}, in its words: "{said}"' if said else f"{of}."
        return ToolSpec(name=self.name, description=told_so, parameters=self.parameters)

    @property
    def bare(self) -> ToolSpec:
        """As a model is told of it where the server's words are held back."""
        told_so = f"Of the server {self.found.server}, which says more than is shown here."
        return ToolSpec(
            name=self.name, description=told_so, parameters=without_words(self.parameters)
        )

    @cached_property
    def says(self) -> str:
        """What its words do where they speak to a model, behind their subject; else ""."""
        words = json.dumps(self.parameters, ensure_ascii=False)
        raw = f"{self.found.title}\n{self.found.description}"[:_LONGEST_READ]
        return flags_of(f"{raw}\n{words}").says


def made_sound(found: FoundTool, name: str) -> Sound:
    """The tool with its texts tamed and its schema bounded, or the reason why it is not offered."""
    title = told(found.title, _LONGEST_TITLE)
    description = told(found.description, _LONGEST_TOLD)
    problem, parameters = told(found.problem, _LONGEST_MISTAKE), dict[str, Any]()
    try:
        parameters = sound(found.parameters)
    except Broken as why:
        problem = problem or str(why)
    except RecursionError:
        problem = problem or "its schema is too deep"
    return Sound(
        found=found,
        name=name,
        title=title,
        description=description,
        parameters=parameters,
        problem=problem,
    )


@dataclass(slots=True)
class Used:
    """Whether any of some tools has given something."""

    once: bool = False

    def __call__(self) -> bool:
        return self.once


@dataclass(frozen=True, slots=True, kw_only=True)
class Borrowed:
    """Behind the same port as our own tools, for one turn."""

    tool: Sound
    trust: Trust
    connections: Connections
    steps: Steps
    environ: Mapping[str, str]
    """Whose credentials stay here."""
    used: Used

    @property
    def spec(self) -> ToolSpec:
        """Words that speak to a model, and such as changed since a person allowed the tool, stand
        in a prompt only once they were shown where it is asked for, and allowed."""
        standing = self.trust.standing(self.tool.found)
        held = standing == "changed" or (standing == "new" and self.tool.says)
        return self.tool.bare if held else self.tool.spec

    def rule(self, arguments: dict[str, Any]) -> str:
        """One that was stored for plain arguments covers none that hold a credential."""
        rule = self.trust.rule(self.tool.found)
        return f"{rule} with a credential" if _holds_secret(arguments) else rule

    def needs_approval(self, arguments: dict[str, Any], *, typed: str, tainted: bool) -> str:
        """Always: whether a person has allowed such calls for good is a stored rule's to say."""
        found = self.tool.found
        hints = ", ".join(told(one, 40) for one in found.hints[:6])
        parts = [
            f"{key_of(found.server, found.name)} is a tool of the server {found.server}",
            f"it says of itself: {hints}" if hints else "it says nothing of what it changes",
        ]
        if self.trust.standing(found) == "changed":
            changed = self.trust.changes(found)
            now = f' and reads now: "{self.tool.description}"' if "description" in changed else ""
            parts.append(f"since it was first allowed, its {changed} changed{now}")
        if self.tool.says:
            parts.append(f'its description {self.tool.says}: "{self.tool.description}"')
        if _holds_secret(arguments):
            parts.append("the arguments hold a credential")
        if tainted:
            parts.append("text from outside is in the conversation")
        return "; ".join(parts)

    async def run(self, arguments: dict[str, Any]) -> ToolOutcome:
        found = self.tool.found
        _check(arguments, self.tool.parameters)
        self._keep_in(arguments)
        await self._unchanged()
        await self.trust.allowed(found)
        try:
            result = await self.connections.call(
                found.server, found.name, arguments, progress=self.steps
            )
        except ToolFailed as problem:
            raise _theirs(problem) from None
        text = _with_remarks(result, found)
        if not result.ok:
            raise ToolFailed(text or "it says that it failed, and not why", origins=("tool",))
        self.used.once = True
        return ToolOutcome(text=text or "(it gave no text)", origins=("tool",))

    async def _unchanged(self) -> None:
        """Raises ToolFailed where it is another tool now than the one that was allowed."""
        found = self.tool.found
        try:
            now = await self.connections.tools(found.server)
        except ToolFailed as problem:
            raise _theirs(problem) from None
        same = next((one for one in now if one.name == found.name), None)
        if same is None:
            raise ToolFailed(f"the server {found.server} has no such tool any more")
        if same.digest != found.digest:
            raise ToolFailed(
                f"the server {found.server} has just changed what it says of this tool; the person "
                "is asked again with the next message"
            )

    def _keep_in(self, arguments: dict[str, Any]) -> None:
        """Raises ToolFailed where a credential of this program's environment would leave."""
        said = json.dumps(arguments, ensure_ascii=False, default=str)
        for name, value in self.environ.items():
            if len(value) >= _LEAST_SECRET and _SECRETLY.search(name) and value in said:
                raise ToolFailed(f"not sent: the arguments hold what the variable {name} holds")


def _theirs(problem: ToolFailed) -> ToolFailed:
    """A failure as it may be read; its words can be the server's."""
    said = _readable(problem.message)[:_LONGEST_TOLD]
    return ToolFailed(said, hint=problem.hint, origins=("tool",))


def _holds_secret(arguments: dict[str, Any]) -> bool:
    return masked_within(arguments) != arguments


def _check(arguments: dict[str, Any], schema: dict[str, Any]) -> None:
    """Raises ToolFailed with what the model can mend."""
    said = json.dumps(arguments, ensure_ascii=False, default=str)
    if len(said) > LONGEST_ARGUMENTS:
        raise ToolFailed(f"the arguments are longer than {LONGEST_ARGUMENTS} characters")
    if mistake := mistake_in(arguments, schema):
        raise ToolFailed(f"the arguments are not as the tool wants them: {mistake}")


def mistake_in(value: Any, schema: dict[str, Any]) -> str:
    """The first thing that is not as a schema of ours has it; "" where all is."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError, best_match

    try:
        mistake = best_match(Draft202012Validator(schema).iter_errors(value))
    except RecursionError:
        return "they are too deep"
    if not isinstance(mistake, ValidationError):
        return ""
    place = "/".join(str(one) for one in mistake.absolute_path)
    return tamed_line(f"{place}: {mistake.message}" if place else mistake.message, _LONGEST_MISTAKE)


def _readable(text: str) -> str:
    return masked(printable(text[:LONGEST_RESULT]))


def _with_remarks(result: Result, found: FoundTool) -> str:
    """The result as it may be read, with what is to be known of it."""
    text = _readable(result.text)
    if result.cut or len(result.text) > LONGEST_RESULT:
        text += "\n[cut: there was more of it]"
    if result.ok and found.output_schema and (mistake := _not_as_said(result, found)):
        text += f"\n[not as the tool says that its results are: {mistake}]"
    return text


def _not_as_said(result: Result, found: FoundTool) -> str:
    if result.cut:
        return ""
    try:
        given, schema = json.loads(result.text), sound(found.output_schema)
    except (ValueError, RecursionError):  # a text, or a schema that nothing can be held to
        return ""
    return mistake_in(given, schema)
