"""Tool calls for models without reliable native ones: choose an action, then fill its arguments.

Every message of the model opens with one line, `Action: reply` or `Action: TOOL`. The choice is
constrained to the known names, the arguments to the tool's schema, and a reply goes on right
after its line: choosing costs a handful of tokens and leaves the cached prefix whole. Pure text
here; no model is called.
"""

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skill_agent.ports import ChatMessage, ToolSpec
from skill_agent.values import ToolCall

REPLY = "reply"
OPENING = "Action:"
"""Without a blank at its end: the next token brings its own, as the model learned it."""

MARGIN = 2.0
"""A tool must be this much likelier than a reply, in nats: with less, the 1.5B model reaches for
tools on small talk; with much more, it misses plain requests."""

NEXT_STEP = (
    "Take the next step of these instructions now, for the request above. If it needs data, fetch "
    "them with an action; do not invent them."
)
"""Stands after instructions the model asked for; without it the 1.5B model makes up the answer."""

FOLLOWING_MARGIN = -0.5
"""The same while the model follows instructions it opened, where replying early means inventing."""

EACH_MORE = 1.25
"""What every call after the first adds to it: somewhere instructions end."""

_REPLY_LINE = (
    f"- {OPENING} {REPLY} — answer in words. Right for greetings, chat, opinions, writing, general "
    "knowledge, and whatever the conversation or the remembered notes already tell."
)
_REPLY_EXAMPLES = (
    "Hello!",
    "What is the capital of X?",
    "I did X today.",
    "Who invented X?",
    "Write a short poem about rain.",
    "Give me ideas for a weekend with friends.",
    "Help me with a letter to my landlord.",
    "Notes: X begins on Y. When does X begin?",
    "Thanks!",
)
_TOOL_EXAMPLES = {
    "http_get": "Fetch https://example.com/a and sum it up.",
    "search_memory": "Search your memory for X.",
    "remember": "Save this for later: X.",
}
"""One request for each well-known tool; any other is offered by its description alone."""

_MAX_CHOICES = 40
_DESCRIPTION_CHARS = 240


@dataclass(frozen=True, slots=True)
class Action:
    """Something the model may open with; `arguments` is set where nothing is left to fill."""

    name: str
    tool: ToolSpec | None
    arguments: dict[str, Any] | None = None


class ToolMenu:
    """The actions a request offers, and the text that tells a model of them."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._tools = tuple(tools)
        self._flat = {tool.name: _flattened(tool) for tool in self._tools}
        actions = [Action(REPLY, None)]
        for tool in self._tools:
            flat = self._flat[tool.name]
            actions += flat or [Action(tool.name, tool)]
        self.actions = {action.name: action for action in actions}
        if len(self.actions) < len(actions):
            # Two things share a name: then every tool is offered under its own name only.
            self._flat = {tool.name: [] for tool in self._tools}
            plain = [Action(REPLY, None), *(Action(tool.name, tool) for tool in self._tools)]
            self.actions = {action.name: action for action in plain}

    def __bool__(self) -> bool:
        return bool(self._tools)

    def describe(self, *, examples: bool = True) -> str:
        """The text about actions; the same bytes for the same tools. Without examples where it
        stands beside a request, which a model would take them for."""
        lines = ["", "## Actions", "Begin every message with one line that names your action:"]
        lines.append(_REPLY_LINE)
        for tool in self._tools:
            flat = self._flat[tool.name]
            names = " | ".join(action.name for action in flat) if flat else tool.name
            lines.append(f"- {OPENING} {names} — {_short(tool.description)}")
        lines += ["When in doubt, reply."]
        lines += ["Examples:", *self._examples()] if examples else []
        return "\n".join(lines)

    def _examples(self) -> list[str]:
        """Requests for tools strewn among requests for words, so that neither looks like a rule."""
        asked = [
            (_TOOL_EXAMPLES[tool.name], tool.name)
            for tool in self._tools
            if tool.name in _TOOL_EXAMPLES and not self._flat[tool.name]
        ]
        replies = [(text, REPLY) for text in _REPLY_EXAMPLES]
        mixed: list[tuple[str, str]] = []
        while asked or replies:
            mixed += replies[:1] + asked[:1]
            replies, asked = replies[1:], asked[1:]
        return [f"{text} -> {OPENING} {name}" for text, name in mixed]

    def open_actions(self, messages: Sequence[ChatMessage]) -> list[str]:
        """Names still sensible: a tool that only picks from a list picks once for one request."""
        done = {call.name for call in _calls_since_user(messages) if self.picks(call)}
        return [
            name
            for name, action in self.actions.items()
            if action.arguments is None or action.tool is None or action.tool.name not in done
        ]

    def following(self, messages: Sequence[ChatMessage]) -> bool:
        """Whether instructions were opened for this request, so that more actions are expected."""
        return any(self.picks(call) for call in _calls_since_user(messages))

    def fetched(self, messages: Sequence[ChatMessage]) -> int:
        """Calls already made for this request, beside the opening of instructions."""
        return sum(not self.picks(call) for call in _calls_since_user(messages))

    def picks(self, call: ToolCall) -> bool:
        """Whether the call is one of those offered as an action of their own."""
        return self.name_of(call) != call.name

    def repeats(self, call: ToolCall, messages: Sequence[ChatMessage]) -> bool:
        """Whether the very same call was already made for this request."""
        return any(
            (one.name, one.arguments) == (call.name, call.arguments)
            for one in _calls_since_user(messages)
        )

    def as_text(self, message: ChatMessage) -> str:
        """An assistant message as the model would have written it."""
        said = [f"{OPENING} {REPLY}\n{message.content}"] if message.content else []
        return "\n".join(said + [self._call_text(call) for call in message.tool_calls])

    def _call_text(self, call: ToolCall) -> str:
        name = self.name_of(call)
        if name != call.name:
            return f"{OPENING} {name}"
        arguments = json.dumps(call.arguments, ensure_ascii=False, sort_keys=True)
        return f"{OPENING} {name}\n{arguments}"

    def name_of(self, call: ToolCall) -> str:
        """The action a call is known by to the model."""
        return next(
            (a.name for a in self._flat.get(call.name, []) if a.arguments == call.arguments),
            call.name,
        )


def grammar(names: Sequence[str]) -> str:
    """GBNF that lets only these action names follow the opening."""
    return 'root ::= " " (' + " | ".join(json.dumps(name) for name in names) + ")"


def settled(
    chosen: str, top: Sequence[dict[str, Any]], firsts: dict[str, int], margin: float
) -> str:
    """The action to take: a tool only where it beats the reply by the margin.

    `chosen` is what the grammar led to, `top` holds {id, logprob} of the likeliest first tokens
    before the grammar was applied (one not among them counts as impossible), `firsts` the first
    token of every name. With a negative margin the likeliest tool may win over a chosen reply.
    """
    scores = {int(one["id"]): float(one["logprob"]) for one in top}
    tools = {name: scores.get(token, -math.inf) for name, token in firsts.items() if name != REPLY}
    best = chosen if chosen in tools else max(tools, key=lambda name: tools[name], default=REPLY)
    lead = tools.get(best, -math.inf) - scores.get(firsts.get(REPLY, -1), -99.0)
    return best if lead > margin else REPLY


def shares(top: Sequence[dict[str, Any]], firsts: dict[str, int]) -> dict[str, float]:
    """How likely each answer is among them all, from {id, logprob} of the likeliest first tokens
    and each answer's own first token; one that is not among the likeliest counts as the least."""
    scores = {int(one["id"]): float(one["logprob"]) for one in top}
    least = min(scores.values(), default=0.0)
    raw = {name: math.exp(scores.get(token, least)) for name, token in firsts.items()}
    total = sum(raw.values())
    return {name: value / total for name, value in raw.items()}


def _calls_since_user(messages: Sequence[ChatMessage]) -> list[ToolCall]:
    calls: list[ToolCall] = []
    for message in reversed(messages):
        if message.role == "user":
            break
        calls += message.tool_calls
    return calls


def _flattened(tool: ToolSpec) -> list[Action]:
    """A tool that only picks from a list becomes one action a choice: models name the thing
    they want ("weather"), not the way to it ("activate_skill")."""
    properties = tool.parameters.get("properties", {})
    if len(properties) != 1:
        return []
    ((name, schema),) = properties.items()
    choices = schema.get("enum", ())
    if not 0 < len(choices) <= _MAX_CHOICES or not all(isinstance(one, str) for one in choices):
        return []
    if not all(re.fullmatch(r"[\w.:/-]+", one) for one in choices):
        return []
    return [Action(choice, tool, {name: choice}) for choice in choices]


def _short(text: str) -> str:
    folded = " ".join(text.split())
    if len(folded) <= _DESCRIPTION_CHARS:
        return folded
    cut = folded[:_DESCRIPTION_CHARS]
    return cut[: cut.rfind(". ") + 1] or cut
