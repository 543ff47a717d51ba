"""A person's own keys: what is wrong is told, what can be used is used."""

import pytest
from skill_agent.tui.frame.own_keys import checked
from skill_agent.tui.places import all_deeds, parts
from stage import StageRuntime
from textual.keys import Keys

from skill_agent.settings.schema import InterfaceSettings, Settings


def test_what_can_be_used() -> None:
    own = {"talk.new": " alt+n , f12", "inbox.copy": "c", "go.usage": "alt+u"}
    assert checked(own, parts()) == (
        {"talk.new": "alt+n,f12", "inbox.copy": "c", "go.usage": "alt+u"}, [],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"go.memroy": "f12"}, 'there is no "go.memroy"; did you mean "go.memory"?'),
        ({"talk.new": "ctlr+x"}, '"talk.new": no key is called "ctlr+x"'),
        ({"talk.new": ""}, '"talk.new": no key is called ""'),
        ({"write.send": "f12"}, '"write.send" has no key that could be changed'),
        ({"talk.new": "f12", "go.memory": "f12"}, "the second is left out"),
        ({"inbox.open": "f12", "inbox.copy": "f12"}, "the second is left out"),
    ],
)
def test_what_is_wrong_is_left_out_and_told(own: dict[str, str], told: str) -> None:
    good, said = checked(own, parts())
    assert len(good) == len(own) - 1 and told in " ".join(said)


def test_what_a_key_is_taken_from_is_told() -> None:
    assert checked({"go.memory": "ctrl+g"}, parts())[1] == [
        'Ctrl+G is for "go.memory" now; "talk.agents" has no key left'
    ]
    assert checked({"go.memory": "ctrl+g", "talk.agents": "f12"}, parts())[1] == []


def test_the_keys_as_they_come_are_sound() -> None:
    """Each that can be changed could be given its own keys."""
    usual = {deed.id: deed.keys for deed in all_deeds() if deed.keys and deed.action}
    for name, keys in usual.items():
        assert checked({name: keys}, parts())[0] == {name: keys}
    assert Keys.F1.value == "f1"


async def test_a_deed_without_a_key_can_be_given_one(sit) -> None:
    own = InterfaceSettings(keys={"go.usage": "f12", "read.prompt": "nonsense"})
    async with sit(StageRuntime(settings=Settings(tui=own))) as seat:
        assert any("nonsense" in one.message for one in seat.app._notifications)
        await seat.press("f12")
        await seat.until(lambda: type(seat.app.screen).__name__ == "UsageScreen")
