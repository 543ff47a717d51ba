"""What the pictures show: one scripted conversation and its parts."""

import re
from typing import Any

from stage import MORNING, StageRuntime, make

from skill_agent.events import (
    ApprovalAsked,
    Compacted,
    MemoriesExtracted,
    MemoryRecalled,
    MemorySaved,
    RecalledItem,
    ToolFinished,
    ToolStarted,
)
from skill_agent.values import (
    ModelCall,
    PromptLayer,
    PromptMessage,
    PromptPart,
    Role,
    Usage,
)

RECALLED = make(
    MemoryRecalled,
    items=(
        RecalledItem(
            id="m1", kind="memory", content="I deploy on Fridays from the release branch",
            score=0.91, signals={"lexical": 0.88, "semantic": 0.82, "importance": 1.0},
            reason="same words: deploy, release; pinned", memory_type="semantic",
            created_at="2026-11-13T10:00:00Z",
        ),
        RecalledItem(
            id="m2", kind="turn",
            content="me (2026-11-18): the release branch was cut late, Tom had to wait",
            score=0.58, signals={"recency": 0.9, "semantic": 0.61, "lexical": 0.42},
            reason="close in meaning", created_at="2026-11-18T10:00:00Z",
        ),
        RecalledItem(
            id="m3", kind="memory", content="Prefers short answers with the command first.",
            score=0.44, signals={"importance": 0.8, "semantic": 0.31},
            reason="profile, always considered", memory_type="user_profile",
            created_at="2026-10-02T10:00:00Z",
        ),
    ),
    tokens=164, budget=2000, seconds=0.012, told=3,
)  # fmt: skip

SAVED = make(
    MemorySaved, memory_id="019aa3f0-51c2-7d3e-9f00-8d2c11aa07b1",
    content="I deploy on Fridays from the release branch", memory_type="semantic", pinned=True,
    importance=10,
)  # fmt: skip

COMPACTED = make(Compacted, messages=34, memories=7, summary="They planned the deploys.")
EXTRACTED = make(MemoriesExtracted, disputed=("m9", "m4"))

URL = "https://status.example.org/deploys"
TOOL = (
    make(ToolStarted, call="c1", tool="http_get", arguments={"url": URL}),
    make(
        ToolFinished, call="c1", tool="http_get", ok=True, result='{"last": "2026-11-14"}',
        seconds=0.4,
    ),
)  # fmt: skip
ASKED = make(
    ApprovalAsked, approval="a1", tool="http_get", arguments={"url": URL},
    rule="kyra http_get:status.example.org",
    reason="status.example.org is not among Kyra's allowed domains", timeout_s=300.0,
)  # fmt: skip
ASKED_LONG = make(
    ApprovalAsked, approval="a1", tool="http_get", origins=("pipe", "web"), timeout_s=300.0,
    arguments={"url": f"https://a.example.org/?q={'a' * 400}&to=\u202ekcatta&end=my-home"},
    rule="kyra http_get:a.example.org",
    reason="text from outside is in the conversation, and a.example.org would be contacted",
)  # fmt: skip
ASKED_TO_KEEP = make(
    ApprovalAsked, approval="a1", tool="remember", origins=("pipe",), timeout_s=300.0,
    arguments={"content": "\n".join(f"Fact {n}: they pay on the {n}th." for n in range(1, 29))},
    rule="kyra remember", reason="text from outside is in the conversation",
)  # fmt: skip

REPLY = """You deploy on **Fridays**, from the `release` branch.

1. Cut the branch on Thursday evening
2. Run the migration *before* the build, since Tom waits for it
3. Tag and push

```bash
git switch release && git pull --ff-only
make migrate && make deploy
```
"""
WORDS = re.findall(r"\s*\S+\s*$|\s*\S+", REPLY)

PARTS: tuple[tuple[Role, tuple[tuple[str, int, str], ...]], ...] = (
    ("system", (
        ("identity", 61, "You are Kyra, a friendly companion for everyday questions."),
        ("profile", 14, "\n\nAbout the person: prefers short answers."),
    )),
    ("user", (("history", 22, "Remember that I deploy on Fridays from the release branch"),)),
    ("assistant", (("history", 9, "Noted: Fridays, from the release branch."),)),
    ("user", (
        ("recalled", 31, "<recalled>\nThe release branch was cut late.\n</recalled>"),
        ("message", 13, "\n\nWhen do I deploy, and what do I watch out for?"),
    )),
)  # fmt: skip


def call(
    text: str = "You deploy on **Fridays**.", *, purpose: str = "reply", **more: Any
) -> ModelCall:
    """A call of a model, as it is kept."""
    return ModelCall(
        id="call", turn="turn", session="talk", agent="kyra", model="embedded/small-1.5b",
        created_at=MORNING, purpose=purpose, messages=tuple(_sent(*one) for one in PARTS),
        tools=("http_get", "search_memory"), parameters={"temperature": 0.7},
        layers=(
            PromptLayer(name="identity", tokens=61),
            PromptLayer(name="profile", tokens=14),
            PromptLayer(name="history", tokens=31, note="2 messages"),
            PromptLayer(name="recalled", tokens=31, note="1 item; room for 512 tokens"),
            PromptLayer(name="message", tokens=13),
            PromptLayer(name="tools", tokens=1_020, note="http_get, search_memory"),
            PromptLayer(name="format", tokens=70, note="what the chat format adds"),
        ),
        left_out=(
            "4 earlier messages: the model's window is full",
            "1 recalled item: already in this conversation",
        ),
        text=text, finish="stop",
        usage=Usage(prompt_tokens=1240, cached_tokens=1066, completion_tokens=52, total_s=3.1),
        **more,
    )  # fmt: skip


def _sent(role: Role, parts: tuple[tuple[str, int, str], ...]) -> PromptMessage:
    at, told = 0, list[PromptPart]()
    for layer, tokens, text in parts:
        told.append(PromptPart(layer=layer, start=at, end=at + len(text), tokens=tokens))
        at += len(text)
    return PromptMessage(
        role=role, content="".join(text for _, _, text in parts), parts=tuple(told)
    )


def past() -> StageRuntime:
    """A runtime with three conversations behind it."""
    runtime = StageRuntime()
    runtime.add_session("Plan the autumn newsletter", "max", "Plan it", "Planned.")
    runtime.add_session("Why does the parser drop the last row?", "luke", "Why?", "Off by one.")
    runtime.add_session("Deploying on Fridays", "kyra", "Remember that …", "Noted.")
    return runtime
