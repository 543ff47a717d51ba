"""A tool call that waits for a person: all of it is shown, and read before it is answered."""

from typing import Any

import pytest
from stage import Make, StageRuntime, make

from skill_agent.events import ApprovalAsked


def asked(**more: Any) -> Make:
    fields = {"approval": "a1", "tool": "http_get", "rule": "kyra http_get:a.invalid"}
    return make(ApprovalAsked, **{**fields, "reason": "why", "timeout_s": 300.0, **more})


LONG_URL = f"https://a.invalid/search?q={'a' * 1500}&to=\u202e\u200b&end=my-home"


@pytest.mark.deep
@pytest.mark.parametrize("size", [(100, 30), (60, 18), (40, 12), (200, 50)])
async def test_nothing_is_answered_before_the_end_was_in_view(sit, size) -> None:
    lines = "\n".join(f"line {number}" for number in range(60))
    question = asked(arguments={"content": lines, "url": LONG_URL}, origins=("web", "pipe"))
    runtime = StageRuntime([[question, "ok"]])
    async with sit(runtime, size=size) as seat:
        bar = seat.talk.approvals
        await seat.say("fetch it")
        await seat.until(lambda: bar.pending)
        await seat.press("f2")
        await seat.settled()
        shown = str(seat.talk.query_one("#approval-question").render())
        address = next(line for line in shown.split("\n") if line.startswith("url: "))
        assert "&to=‹U+202E›‹U+200B›&end=my-home" in address and "…" not in address
        assert "text from the web and a pipe stands in this conversation" in shown
        assert "a.invalid" in str(seat.talk.query_one("#approval-head").render())
        keys = seat.talk.query_one("#approval-choices")
        assert seat.app.screen.region.contains_region(keys.region)
        assert "more rows: read to the end" in str(keys.render())
        await seat.press("o", "a", "d", "pagedown", "o")
        assert runtime.answers == []
        await seat.press("end")
        await seat.settled()
        assert "o allow once" in str(keys.render())
        assert seat.app.screen.region.contains_region(keys.region)
        await seat.press("o")
        await seat.until(lambda: runtime.answers == [("a1", "once")])


async def test_the_next_question_is_read_anew(sit) -> None:
    long = asked(arguments={"url": LONG_URL}, approval="a2")
    runtime = StageRuntime([[asked(arguments={"url": "https://b.invalid"}), long, "ok"]])
    async with sit(runtime, size=(60, 18)) as seat:
        bar = seat.talk.approvals
        await seat.say("fetch it")
        await seat.until(lambda: bar.pending)
        await seat.press("f2", "o")
        await seat.until(lambda: [one.approval for one in bar.pending] == ["a2"])
        await seat.press("f2", "o", "end")
        await seat.settled()
        assert runtime.answers == [("a1", "once")]
        await seat.press("d")
        await seat.until(lambda: runtime.answers[1:] == [("a2", "deny")])


async def test_a_rule_of_any_length_is_shown_whole(sit) -> None:
    rule = f"kyra http_get:{'b' * 200}.invalid"
    runtime = StageRuntime([[asked(arguments={}, rule=rule), "ok"]])
    async with sit(runtime) as seat:
        await seat.say("fetch it")
        await seat.until(lambda: seat.talk.approvals.pending)
        assert rule in str(seat.talk.query_one("#approval-question").render())
        await seat.press("f2")
        await seat.settled()
        await seat.press("a")
        await seat.until(lambda: runtime.answers == [("a1", "always")])
