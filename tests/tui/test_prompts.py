"""What a model was sent for a reply, on a screen of its own."""

from dataclasses import replace

from scenes import call
from skill_agent.tui.talk.prompt_screen import SHOWN, PromptScreen
from stage import StageRuntime
from textual.containers import VerticalScroll
from textual.widget import Widget

from skill_agent.errors import StoreError
from skill_agent.turns.operations import Calls
from skill_agent.values import PromptMessage, PromptPart, ToolCall


def told(screen: PromptScreen) -> str:
    """All text of the screen, without its line breaks."""
    parts = [str(one.render()) for one in screen.query_one(VerticalScroll).query(Widget)]
    return " ".join(" ".join(parts).split())


async def test_p_on_a_reply_shows_what_was_sent(sit) -> None:
    stage = StageRuntime([["Fridays."]])
    wish = ToolCall(id="c", name="http_get", arguments={"url": "http://x"})
    stage.prompts["Fridays."] = [
        call("", tool_calls=(wish,)), call("Fridays.", purpose="tools", error="it broke"),
    ]  # fmt: skip
    async with sit(stage) as seat:
        await seat.say("When do I deploy?")
        await seat.until(lambda: seat.talk.conversation.last_reply())
        await seat.settled()
        await seat.press("alt+up", "p")
        screen = await seat.at(PromptScreen)
        await seat.until(lambda: "Fridays." in told(screen))
        shown = told(screen)
        for text in (
            "Call 1 of 2, for reply · embedded/small-1.5b · 1,240 tokens, 86% cached",
            "identity 61", "history 31 2 messages", "tools 1,020 http_get, search_memory",
            "left out 4 earlier messages: the model's window is full",
            "system · identity · 61 tokens You are Kyra",
            "user · message · 13 tokens When do I deploy, and what",
            "uses http_get {'url': 'http://x'}", "Call 2 of 2, for tools", "it broke",
        ):  # fmt: skip
            assert text in shown, text
        await seat.press("end")
        place = screen.query_one(VerticalScroll)
        await seat.until(lambda: place.scroll_y == place.max_scroll_y > 0)
        await seat.press("escape")
        await seat.until(lambda: seat.app.screen is seat.talk)


async def test_the_palettes_command_shows_the_last_reply(sit) -> None:
    stage = StageRuntime([["Fridays."]])
    async with sit(stage) as seat:
        seat.talk.action_prompt()
        await seat.settled()
        assert seat.app.screen is seat.talk, "there is no reply yet"
        await seat.say("When do I deploy?")
        await seat.until(lambda: seat.talk.conversation.last_reply())
        await seat.settled()
        seat.talk.action_prompt()
        screen = await seat.at(PromptScreen)
        await seat.until(lambda: "Nothing is kept of this reply" in told(screen))


async def test_text_of_any_origin_is_harmless_and_long_text_cut(sit) -> None:
    text = "[b]x[/b] \x1b[31m" + "y" * SHOWN
    part = PromptPart(layer="message", start=0, end=len(text), tokens=9)
    message = PromptMessage(role="user", content=text, parts=(part,))

    async def given() -> Calls:
        return [replace(call(), messages=(message,), left_out=("[i]z",))]

    async with sit(StageRuntime()) as seat:
        seat.app.push_screen(PromptScreen(given))
        screen = await seat.at(PromptScreen)
        await seat.until(lambda: "[b]x[/b] y" in told(screen))
        assert "more characters: ska sessions show --prompts" in told(screen)
        assert "[i]z" in told(screen)


async def test_what_cannot_be_read_is_told(sit) -> None:
    async def broken() -> Calls:
        raise StoreError("the ledger cannot be read", hint="ska doctor")

    async with sit(StageRuntime()) as seat:
        seat.app.push_screen(PromptScreen(broken))
        screen = await seat.at(PromptScreen)
        await seat.until(lambda: "the ledger cannot be read → ska doctor" in told(screen))
