"""The home screen: who is here, what was talked about, what waits; typing goes on as ever."""

import asyncio
from dataclasses import replace

from skill_agent.tui.frame.key_bar import KeyBar
from skill_agent.tui.inbox.screen import InboxScreen
from skill_agent.tui.talk.welcome import TIPS, WORDMARK, HomeRow, Welcome
from stage import TEAM, StageRuntime
from stage_book import shelf
from stage_inbox import full

from skill_agent.agents.dna import AgentDNA
from skill_agent.errors import StoreError


def lived_in() -> StageRuntime:
    runtime = StageRuntime()
    for title, agent in (("Boat", "kyra"), ("Bread", "luke"), ("Plan", "ada"), ("Trip", "kyra")):
        runtime.add_session(title, agent, f"About {title}?", f"So it is with {title}.")
    return runtime


def rows(seat) -> list[str]:
    return [str(one.render()) for one in seat.talk.query(HomeRow) if one.display]


def drawn(seat) -> bool:
    """They are there, and laid out."""
    return any(rows(seat)) and bool(rows(seat)[0].strip())


def here(seat) -> str:
    focused = seat.app.focused
    return focused.goes if isinstance(focused, HomeRow) else ""


async def test_who_is_here_and_what_was_talked_about(sit) -> None:
    async with sit(lived_in(), size=(120, 36)) as seat:
        await seat.until(lambda: drawn(seat))
        await seat.settled()
        assert [one.split()[1] for one in rows(seat)[:3]] == ["Kyra", "Luke", "Ada"]
        assert [one.split()[:2] for one in rows(seat)[3:]] == [
            ["1", "Trip"], ["2", "Plan"], ["3", "Bread"],
        ]  # fmt: skip
        assert "Ada · " in rows(seat)[4]
        assert any(tip in seat.shown() for tip in TIPS)
        assert seat.app.focused is seat.talk.composer


async def test_what_each_knows_and_what_waits(sit) -> None:
    runtime = lived_in()
    one = shelf().memories[0]
    owners = ["kyra", "kyra", "luke", None]
    runtime.book.memories = [
        replace(one, id=f"m{n}", agent=agent, status="active") for n, agent in enumerate(owners)
    ]
    async with sit(runtime, size=(120, 36)) as seat:
        await seat.until(lambda: drawn(seat))
        await seat.until(lambda: "knows 3 things" in rows(seat)[0])
        assert "knows 2 things" in rows(seat)[1] and "knows 1 thing" in rows(seat)[2]
        assert not any("Waiting" in one for one in rows(seat))
        full(runtime.post)
        seat.talk.look_around()
        await seat.until(lambda: " unread" in rows(seat)[-1])
        runtime.book.fails = StoreError("the index is gone")
        seat.talk.look_around()
        await seat.until(lambda: "knows" not in rows(seat)[0])
        assert " unread" in rows(seat)[-1], "one that cannot be read hides none of the others"
        await seat.pilot.click(list(seat.talk.query(HomeRow))[-1])
        await seat.at(InboxScreen)


async def test_rows_are_reached_by_keys_and_letters_go_to_the_composer(sit) -> None:
    async with sit(lived_in(), size=(120, 36)) as seat:
        await seat.until(lambda: drawn(seat))
        assert "choose here" in str(seat.talk.query_one(KeyBar).render())
        await seat.press("alt+up")
        assert here(seat) == "talk session-1", "the last row"
        await seat.press(*["alt+up"] * 4)
        assert here(seat) == "agent luke"
        await seat.press("enter")
        assert seat.talk.speaker == "luke" and seat.app.focused is seat.talk.composer
        await seat.press("alt+up", "alt+down")
        assert seat.app.focused is seat.talk.composer
        await seat.press("1", "2", "alt+up", "x")
        assert seat.talk.composer.text == "12x", "digits are text, where one writes"
        assert seat.app.focused is seat.talk.composer
        await seat.press("alt+up", "escape")
        assert seat.app.focused is seat.talk.composer


async def test_the_last_talks_are_a_key_or_a_click_away(sit) -> None:
    async with sit(lived_in(), size=(120, 36)) as seat:
        await seat.until(lambda: drawn(seat))
        await seat.press("alt+up", "2")
        await seat.until(lambda: "So it is with Plan." in seat.shown())
        await seat.press("ctrl+n")
        await seat.until(lambda: seat.talk.query(Welcome))
        await seat.pilot.click(
            next(one for one in seat.talk.query(HomeRow) if one.goes[:4] == "talk")
        )
        await seat.until(lambda: "So it is with Trip." in seat.shown())


async def test_it_is_gone_with_the_first_message(sit) -> None:
    async with sit(lived_in(), size=(120, 36)) as seat:
        await seat.until(lambda: drawn(seat))
        await seat.say("Hello")
        await seat.until(lambda: "Hello" in seat.shown())
        assert not seat.talk.query(Welcome)
        assert "messages" in str(seat.talk.query_one(KeyBar).render())


async def test_one_can_write_while_the_team_is_waking(sit) -> None:
    from stage import opener

    gate = asyncio.Event()
    async with sit(opener(lived_in(), gate=gate), ready=False) as seat:
        await seat.press(*"early")
        assert "Waking the team. You can write already." in seat.shown()
        assert seat.talk.composer.text == "early" and not rows(seat)
        gate.set()
        await seat.until(lambda: drawn(seat))
        assert seat.talk.composer.text == "early"


async def test_a_name_begun_while_the_team_is_waking_is_offered_then(sit) -> None:
    from stage import opener

    gate = asyncio.Event()
    async with sit(opener(lived_in(), gate=gate), ready=False) as seat:
        await seat.press(*"@lu")
        assert not seat.talk.suggestions.display
        gate.set()
        await seat.until(lambda: seat.talk.suggestions.display)
        assert seat.talk.suggestions.offered[0].name == "@luke"


async def test_it_fits_where_there_is_little_room(sit) -> None:
    team = [AgentDNA(slug=f"a{n}", name=f"Agent {n}", tagline="x" * 200) for n in range(9)]
    runtime = StageRuntime(team=(*team, *TEAM))
    for title in ("One", "Two", "Three"):
        runtime.add_session(title * 30, "a0", "Hi", "Hello.")
    async with sit(runtime, size=(60, 18)) as seat:
        await seat.until(lambda: drawn(seat))
        assert seat.talk.conversation.max_scroll_y == 0
        assert len(rows(seat)) == 6 and all(len(one) < 60 for one in rows(seat))
        assert max(map(len, WORDMARK)) < 50
        await seat.pilot.resize_terminal(240, 60)
        await seat.until(lambda: len(rows(seat)) == 9 and drawn(seat))
        assert "and 6 more: Ctrl+G" in seat.shown()
        await seat.press("tab")
        await seat.until(lambda: any("Luke" in one for one in rows(seat)))
