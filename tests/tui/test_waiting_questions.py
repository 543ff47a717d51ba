"""Questions of jobs, tools and collaborations in the window: shown whole, answered in words."""

from datetime import timedelta
from typing import Any

from stage import MORNING, StageRuntime
from test_questions import asked

from skill_agent.values import Question


def question(**more: Any) -> Question:
    fields: dict[str, Any] = {
        "id": "q1", "text": "Send the weekly report to Anna?", "agent": "kyra",
        "detail": "To: anna@example.org\nSubject: Week 47", "created_at": MORNING,
        "expires": MORNING + timedelta(hours=24),
    }  # fmt: skip
    return Question(**{**fields, **more})


def drawn(seat: Any, part: str) -> str:
    return str(seat.talk.query_one(f"#question-{part}").render())


async def test_it_is_shown_and_answered_in_words(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        assert not seat.talk.questions.display
        runtime.questions_asked.ask(question(origins=("web",)))
        await seat.until(lambda: seat.talk.questions.pending)
        await seat.settled()
        assert "Kyra asks" in drawn(seat, "head") and "Send the weekly" in drawn(seat, "text")
        assert "│ Subject: Week 47" in drawn(seat, "text") and "the web" in drawn(seat, "text")
        assert "cancel if nobody does" in drawn(seat, "keys")
        await seat.press("y", "e", "s", "enter")  # goes to the composer, and answers nothing
        await seat.settled()
        assert runtime.questions_asked.said == [] and seat.talk.questions.pending
        await seat.press("f2", *"know", "enter")
        await seat.until(lambda: "does not answer" in drawn(seat, "problem"))
        assert seat.talk.questions.pending
        await seat.press(*["backspace"] * 4, *"yes", "enter")
        await seat.until(lambda: not seat.talk.questions.pending)
        await seat.settled()
        assert runtime.questions_asked.said == [("q1", "yes")]
        assert seat.app.focused is seat.talk.composer and not seat.talk.questions.display


async def test_answered_elsewhere_it_goes_here(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        for name in ("q1", "q2"):
            runtime.questions_asked.ask(question(id=name, text=f"Is {name} right?"))
        await seat.until(lambda: len(seat.talk.questions.pending) == 2)
        assert "1 of 2" in drawn(seat, "head")
        await seat.press("f2", *"ye")
        runtime.questions_asked.settle("q1", "telegram")
        await seat.until(lambda: [one.id for one in seat.talk.questions.pending] == ["q2"])
        await seat.settled()
        assert seat.app.focused is seat.talk.composer, "what was typed was for the other one"
        await seat.press("f2", *"yes", "enter")
        await seat.until(lambda: runtime.questions_asked.said == [("q2", "yes")])


async def test_what_waits_when_the_window_opens(sit) -> None:
    runtime = StageRuntime()
    runtime.questions_asked.waiting["q1"] = question()
    async with sit(runtime) as seat:
        await seat.until(lambda: seat.talk.questions.pending)
        runtime.questions_asked.waiting.clear()
        await seat.press("f2", *"no", "enter")
        await seat.until(lambda: not seat.talk.questions.pending)
        assert runtime.questions_asked.said == [], "somebody was quicker"


async def test_escape_leaves_it_for_later(sit) -> None:
    runtime = StageRuntime()
    async with sit(runtime) as seat:
        runtime.questions_asked.ask(question())
        await seat.until(lambda: seat.talk.questions.pending)
        await seat.press("f2", *"yes", "escape")
        await seat.settled()
        assert seat.app.focused is seat.talk.composer
        assert seat.talk.questions.pending and runtime.questions_asked.said == []


async def test_a_call_is_denied_with_what_to_do_instead(sit) -> None:
    runtime = StageRuntime([[asked(arguments={"url": "http://a.invalid/"}), "ok"]])
    async with sit(runtime) as seat:
        await seat.say("fetch it")
        await seat.until(lambda: seat.talk.approvals.pending)
        await seat.press("f2", "end")
        await seat.settled()
        await seat.press("r", *"oad", "escape")
        await seat.settled()
        assert runtime.answers == [] and seat.app.focused is seat.talk.approvals
        await seat.press("r", *"ask Luke", "enter")
        await seat.until(lambda: runtime.answers == [("a1", "deny")])
        assert runtime.instead == ["ask Luke"]
        await seat.settled()
        assert seat.app.focused is seat.talk.composer
