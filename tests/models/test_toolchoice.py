"""The text of the action menu, and what is read out of a model's choice."""

import pytest
from listening import HTTP, SKILLS, assistant, one_text, system, user

from skill_agent.models.local.chatprompt import plain_messages
from skill_agent.models.local.toolchoice import NEXT_STEP, ToolMenu, grammar, settled
from skill_agent.ports import ChatMessage, ToolSpec
from skill_agent.values import ToolCall

MENU = ToolMenu((SKILLS, HTTP))
WEATHER = ToolCall(id="c1", name="activate_skill", arguments={"name": "weather"})
FETCH = ToolCall(id="c2", name="http_get", arguments={"url": "https://a.example"})


def called(*calls: ToolCall) -> ChatMessage:
    return ChatMessage(role="assistant", content="", tool_calls=calls)


def test_a_tool_that_only_picks_becomes_its_choices() -> None:
    assert list(MENU.actions) == ["reply", "weather", "world-clock", "http_get"]
    assert MENU.actions["weather"].arguments == {"name": "weather"}
    assert MENU.actions["http_get"].arguments is None


def test_names_that_clash_are_offered_plainly() -> None:
    clash = ToolSpec(
        name="pick",
        description="",
        parameters={"type": "object", "properties": {"what": {"enum": ["http_get"]}}},
    )
    assert list(ToolMenu((clash, HTTP)).actions) == ["reply", "pick", "http_get"]


def test_the_same_tools_give_the_same_bytes() -> None:
    assert ToolMenu((SKILLS, HTTP)).describe() == MENU.describe()
    assert "Action: weather | world-clock — Read the full" in MENU.describe()


def test_long_descriptions_end_at_a_sentence() -> None:
    long = one_text("x", "y", "First part. " + "Second part goes on and on. " * 20)
    line = next(one for one in ToolMenu((long,)).describe().splitlines() if "Action: x" in one)
    assert len(line) < 300
    assert line.endswith(".")


def test_only_action_names_may_follow() -> None:
    assert grammar(["reply", "http_get"]) == 'root ::= " " ("reply" | "http_get")'


FIRSTS = {"reply": 2, "weather": 1, "http_get": 7}


@pytest.mark.parametrize(
    ("chosen", "margin", "taken"),
    [
        ("weather", 1.0, "weather"),
        ("weather", 2.0, "reply"),
        ("reply", 1.0, "weather"),
        ("reply", 2.0, "reply"),
        ("http_get", 0.0, "reply"),
        ("nonsense", 1.0, "weather"),
    ],
)
def test_a_tool_must_beat_the_reply_by_the_margin(chosen: str, margin: float, taken: str) -> None:
    top = [{"id": 1, "logprob": -0.5}, {"id": 2, "logprob": -2.0}]
    assert settled(chosen, top, FIRSTS, margin) == taken


def test_a_negative_margin_lets_a_near_tool_win() -> None:
    top = [{"id": 2, "logprob": -0.9}, {"id": 7, "logprob": -1.2}]
    assert settled("reply", top, FIRSTS, -0.5) == "http_get"
    assert settled("reply", top, FIRSTS, 0.0) == "reply"
    assert settled("reply", [], FIRSTS, 0.0) == "reply"


def test_what_was_done_is_not_offered_again_for_the_same_request() -> None:
    done = (user("weather?"), called(WEATHER), result("c1", "ask wttr"))
    assert MENU.open_actions(done) == ["reply", "http_get"]
    assert MENU.following(done)
    assert MENU.open_actions((*done, user("and now?"))) == list(MENU.actions)
    assert not MENU.following((*done, user("and now?")))
    assert MENU.repeats(FETCH, (user("go"), called(FETCH)))
    assert not MENU.repeats(FETCH, (called(FETCH), user("again")))


def test_messages_become_what_the_model_would_have_written() -> None:
    history = (
        system("You are Kyra."),
        user("hi"),
        assistant("Hello!"),
        user("weather?"),
        called(WEATHER),
        result("c1", "ask wttr"),
        called(FETCH),
        result("c2", "4 °C"),
    )
    roles = [(one["role"], one["content"]) for one in plain_messages(history, MENU)]
    assert roles[0] == ("system", f"You are Kyra.\n{MENU.describe()}")
    assert roles[1:] == [
        ("user", "hi"),
        ("assistant", "Action: reply\nHello!"),
        ("user", "weather?"),
        ("assistant", "Action: weather"),
        ("user", f"Result of weather:\nask wttr\n\n{NEXT_STEP}"),
        ("assistant", 'Action: http_get\n{"url": "https://a.example"}'),
        ("user", "Result of http_get:\n4 °C"),
    ]


def test_without_tools_nothing_is_added() -> None:
    plain = plain_messages((system("S"), user("hi"), assistant("Hello!")), ToolMenu(()))
    assert [one["content"] for one in plain] == ["S", "hi", "Hello!"]


def test_tools_without_a_system_message_bring_one() -> None:
    first = plain_messages((user("hi"),), MENU)[0]
    assert first["role"] == "system"
    assert first["content"].startswith("## Actions")


def test_messages_of_one_role_in_a_row_are_joined() -> None:
    assert plain_messages((user("a"), user("b")), ToolMenu(())) == [
        {"role": "user", "content": "a\n\nb"}
    ]


def result(call: str, text: str) -> ChatMessage:
    return ChatMessage(role="tool", content=text, tool_call_id=call)
