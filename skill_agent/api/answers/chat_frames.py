"""A turn's events in the plain words of the chat interface, the same for SSE and WebSocket.

`events.to_json` is the full form and lives at `/v1/events`; this one is for somebody who wants to
show a reply. No transport here.
"""

from dataclasses import asdict
from typing import Any, assert_never

from skill_agent.events import (
    AnyEvent,
    ApprovalAnswered,
    ApprovalAsked,
    Compacted,
    HostEvent,
    MemoriesExtracted,
    MemoryRecalled,
    MemorySaved,
    Notice,
    RecalledItem,
    TextDelta,
    ThoughtDelta,
    ToolFinished,
    ToolStarted,
    TurnEvent,
    TurnFailed,
    TurnFinished,
    TurnStarted,
)
from skill_agent.values import FailureReason

Frame = dict[str, Any]

STATUS: dict[FailureReason, int] = {
    "cancelled": 409,
    "abandoned": 409,
    "budget": 402,
    "filtered": 422,
    "limit": 422,
    "rejected": 502,
    "model_failed": 502,
    "model_unavailable": 503,
    "host_lost": 503,
    "host_closed": 503,
    "error": 500,
}
"""What a turn that failed this way answers over HTTP."""

_KINDS: dict[FailureReason, str] = {
    "budget": "BudgetSpent",
    "rejected": "ModelRejected",
    "model_failed": "ModelFailed",
    "model_unavailable": "ModelUnavailable",
}


def frame_of(event: AnyEvent) -> Frame | None:
    """The event as a frame with its `type`; None for what a chat does not show. One it does not
    know becomes a notice."""
    if isinstance(event, TurnEvent):
        return _of_turn(event)
    if isinstance(event, MemoriesExtracted | HostEvent):
        return None
    text = event.line
    if isinstance(event, Compacted):
        text = f"{event.messages} earlier messages now stand as a summary"
    return {"type": "notice", "level": "info", "text": text}


def _of_turn(event: TurnEvent) -> Frame | None:
    match event:
        case TurnStarted():
            return {"type": "started", **_place(event), "model": event.model}
        case MemoryRecalled(items=()):
            return None
        case MemoryRecalled():
            items = [brief(item) for item in event.items]
            return {"type": "memory_context", "count": len(items), "items": items}
        case MemorySaved():
            return {"type": "memory", "id": event.memory_id, "content": event.content}
        case Notice():
            return {"type": "notice", "level": event.level, "text": event.text}
        case TextDelta():
            return {"type": "text_delta", "content": event.text}
        case ThoughtDelta():
            return {"type": "thought_delta", "content": event.text}
        case TurnFinished():
            return {"type": "done", **answered(event)}
        case TurnFailed():
            return {"type": "error", **failure(event)}
        case ToolStarted() | ToolFinished() | ApprovalAsked() | ApprovalAnswered():
            return _at_work(event)
        case _:
            assert_never(event)


def _at_work(event: ToolStarted | ToolFinished | ApprovalAsked | ApprovalAnswered) -> Frame:
    match event:
        case ToolStarted():
            return {
                "type": "tool_call",
                "id": event.call,
                "name": event.tool,
                "arguments": event.arguments,
            }
        case ToolFinished():
            return {
                "type": "tool_result",
                "id": event.call,
                "name": event.tool,
                "ok": event.ok,
                "content": event.result,
                "seconds": event.seconds,
            }
        case ApprovalAsked():
            return {
                "type": "approval",
                "id": event.approval,
                "tool": event.tool,
                "arguments": event.arguments,
                "rule": event.rule,
                "reason": event.reason,
                "origins": [*event.origins],
                "timeout_s": event.timeout_s,
            }
        case ApprovalAnswered():
            return {
                "type": "approval_answered",
                "id": event.approval,
                "choice": event.choice,
                "by": event.by,
                "words": event.words,
            }


def brief(item: RecalledItem) -> Frame:
    """A recalled item without its signals."""
    return {
        "id": item.id,
        "kind": item.kind,
        "memory_type": item.memory_type,
        "content": item.content,
        "score": round(item.score, 4),
    }


def answered(event: TurnFinished) -> Frame:
    """The end of a turn that went well."""
    return {
        **_place(event),
        "message_id": event.message_id,
        "content": event.text,
        "usage": asdict(event.usage),
        "finish": event.finish,
    }


def failure(event: TurnFailed) -> Frame:
    """The end of a turn that did not, in the shape of every error, with what there was of the
    reply."""
    message, hint = event.message, event.hint
    if event.reason == "error" and hint == "ska doctor":  # a bug: its words are for our log
        message, hint = "something went wrong inside the host; its log says what", "ska logs"
    return {
        "error": event.reason,
        "message": message,
        "details": {
            **_place(event),
            "kind": _KINDS.get(event.reason, "SkillAgentError"),
            "hint": hint,
            "message_id": event.message_id,
            "content": event.text,
        },
    }


def _place(event: AnyEvent) -> Frame:
    return {"conversation_id": event.session, "turn": event.turn, "agent": event.agent}
