"""Approvals and questions as buttons: whole, answered once, by the person whose chat it is."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot_api import BotApi
from chatting import ME, OTHER, Chatting, chatting, configured

from skill_agent.errors import Conflict, UsageError
from skill_agent.events import QuestionAnswered, QuestionAsked
from skill_agent.files.home import Home
from skill_agent.models.scripted import ScriptedModel
from skill_agent.values import AnswerAction, Question, ToolCall

URL = "http://127.0.0.1:9/" + "long/" * 40 + "?q=1"


def asking() -> ScriptedModel:
    call = ToolCall(id="c1", name="http_get", arguments={"url": URL})
    return ScriptedModel([(call,), "Done."], otherwise="Done.")


async def asked(talk: Chatting, chat: int = ME) -> Any:
    await talk.api.until(lambda: any(one.buttons for one in talk.api.in_chat(chat)))
    return next(one for one in talk.api.in_chat(chat) if one.buttons)


async def test_an_approval_shows_all_and_is_answered_once(home: Home, api: BotApi) -> None:
    configured(home, api)
    async with chatting(home, api, asking()) as talk:
        api.writes(ME, f"Look at {URL[:20]} please, with a tool")
        shown = await asked(talk)
        assert URL in shown.text
        [waiting] = await talk.runtime.approvals.waiting()
        assert waiting.rule in shown.text
        once, always, deny = shown.buttons[0]
        assert [one["text"] for one in (once, always, deny)] == ["Allow once", "Always", "Deny"]
        api.presses(ME, shown.id, deny["callback_data"], by=OTHER)
        await api.until(lambda: len(api.answers) == 1)
        assert "not for you" in api.answers[0]["text"]
        assert await talk.runtime.approvals.waiting()
        api.presses(ME, shown.id, deny["callback_data"])
        api.presses(ME, shown.id, once["callback_data"])
        await api.until(lambda: len(api.answers) == 3)
        assert "settled already" in api.answers[2]["text"]
        await talk.settled()
        await api.until(lambda: not any(one.buttons for one in api.in_chat(ME)))
        assert "→ Deny (telegram)" in next(t for t in api.texts(ME) if URL in t)
        assert await talk.runtime.approvals.rules() == []


async def test_an_approval_that_was_answered_elsewhere(home: Home, api: BotApi) -> None:
    configured(home, api)
    async with chatting(home, api, asking()) as talk:
        api.writes(ME, f"Look at {URL[:20]} please, with a tool")
        shown = await asked(talk)
        data = shown.buttons[0][0]["callback_data"]
        [waiting] = await talk.runtime.approvals.waiting()
        await talk.runtime.approvals.answer(waiting.id, "deny", by="tui")
        await api.until(lambda: not any(one.buttons for one in api.in_chat(ME)))
        api.presses(ME, shown.id, data)
        await api.until(lambda: api.answers)
        assert "settled already" in api.answers[0]["text"]


async def test_buttons_of_an_earlier_host_are_stale(home: Home, api: BotApi) -> None:
    configured(home, api)
    async with chatting(home, api, asking()) as talk:
        api.writes(ME, f"Look at {URL[:20]} please, with a tool")
        shown = await asked(talk)
    async with chatting(home, api, ScriptedModel(otherwise="Yes.")) as talk:
        api.presses(ME, shown.id, shown.buttons[0][0]["callback_data"])
        await api.until(lambda: api.answers)
        assert "settled already" in api.answers[0]["text"]


class Waiting:
    """Questions as the home would keep them."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, str, str]] = []
        self.open: list[Question] = []

    async def list(self, *, waiting: bool = True) -> list[Question]:
        return self.open

    async def answer(self, question: str, words: str, *, by: str = "person") -> Question:
        if words == "perhaps":
            raise UsageError("that is no answer", hint="proceed, revise …, cancel")
        if not any(one.id == question for one in self.open):
            raise Conflict("it was answered before")
        self.answers.append((question, words, by))
        return self.open.pop()


def question(name: str) -> Question:
    now = datetime.now(UTC)
    return Question(
        id=name, text="Send it?", detail="The letter", created_at=now, expires=now + timedelta(1)
    )


def published(talk: Chatting, one: Question) -> None:
    event = QuestionAsked(question=one.id, text=one.text, detail=one.detail, agent="kyra")
    talk.runtime._bus.publish(event)


async def test_a_question_by_button_and_by_words(home: Home, api: BotApi) -> None:
    configured(home, api, allow=(ME, OTHER))
    questions = Waiting()
    async with chatting(home, api, ScriptedModel(otherwise="Yes."), questions=questions) as talk:
        await api.until(lambda: api.polls)
        questions.open = [question("one")]
        published(talk, questions.open[0])
        shown, other = await asked(talk), await asked(talk, OTHER)
        assert shown.text == "kyra asks: Send it?\n\nThe letter"
        proceed, _, cancel = (one["callback_data"] for one in shown.buttons[0])
        api.presses(ME, shown.id, proceed)
        await api.until(lambda: len(api.answers) == 1)
        assert questions.answers == [("one", "proceed", "telegram")]
        action: AnswerAction = "proceed"
        talk.runtime._bus.publish(QuestionAnswered(question="one", action=action, by="telegram"))
        await api.until(lambda: not api.shown[OTHER, other.id].buttons)
        api.presses(OTHER, other.id, cancel)
        await api.until(lambda: len(api.answers) == 2)
        assert "settled already" in api.answers[1]["text"]

        questions.open = [question("two")]
        published(talk, questions.open[0])
        second = await asked(talk)
        reply = {"message_id": second.id, "date": 1, "chat": {"id": ME, "type": "private"}}
        reply["from"] = {"id": 4711, "is_bot": True, "first_name": "Ska"}
        api.writes(ME, "perhaps", reply_to_message=reply)
        await api.until(lambda: any("that is no answer" in one for one in api.texts(ME)))
        api.writes(ME, "revise: shorter", reply_to_message=reply)
        await api.until(lambda: len(questions.answers) == 2)
        assert questions.answers[1] == ("two", "revise: shorter", "telegram")


async def test_a_question_is_shown_once_across_restarts(home: Home, api: BotApi) -> None:
    configured(home, api)
    questions = Waiting()
    questions.open = [question("one")]
    for _ in range(2):
        async with chatting(home, api, ScriptedModel(), questions=questions) as talk:
            await asked(talk)
            await api.until(lambda: api.polls > 1)
    assert len(api.in_chat(ME)) == 1
