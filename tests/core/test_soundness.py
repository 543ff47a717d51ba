"""Nothing that cannot be kept gets as far as a store, wherever it comes from."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from fakes import OpenRuntime, obliging

from skill_agent.errors import UsageError
from skill_agent.models.scripted import ScriptedModel
from skill_agent.text.checks import sound_moment, sound_path, sound_text
from skill_agent.values import NewMemory, Search

HALF = "a\ud800"
FAR_EAST, FAR_WEST = (timezone(timedelta(hours=hours)) for hours in (14, -12))
BEFORE_TIME, AFTER_TIME = (
    datetime(1, 1, 1, tzinfo=FAR_EAST),
    datetime(9999, 12, 31, 23, tzinfo=FAR_WEST),
)


def test_values() -> None:
    assert sound_text("é\x00") == "é\x00"
    assert sound_moment(datetime(2026, 1, 1)) == datetime(2026, 1, 1, tzinfo=UTC)
    assert sound_moment(datetime(2026, 1, 1, 14, tzinfo=FAR_EAST)).isoformat() == (
        "2026-01-01T00:00:00+00:00"
    )
    for moment in (BEFORE_TIME, AFTER_TIME):
        with pytest.raises(UsageError, match="outside the years"):
            sound_moment(moment)
    for path in ("", " ", "a\0b", HALF, "x" * 300, "x/" * 3_000):
        with pytest.raises(UsageError):
            sound_path(path)


async def test_the_runtime_refuses_what_cannot_be_kept(open_runtime: OpenRuntime) -> None:
    async with open_runtime(ScriptedModel([obliging] * 10)) as runtime:
        book = runtime.memory
        kept = await book.add("I like tea")
        events = [event async for event in runtime.ask("@kyra hello")]
        for refused in (
            book.add(HALF), book.add(NewMemory("x", subject=HALF)), book.add(NewMemory("x", expires_at=BEFORE_TIME)),
            book.at(BEFORE_TIME), book.difference(kept.created_at, AFTER_TIME),
            book.search(HALF), book.search(Search("tea", limit=0)), book.search(Search("tea", floor=1e308)),
            book.correct(kept.id, HALF),
            book.keep([replace(kept, id="other", importance=11)]),
            book.keep([replace(kept, id="")]), book.keep([replace(kept, confidence=7.0)]),
            book.keep([replace(kept, id="other", created_at=BEFORE_TIME)]),
            book.keep([replace(kept, id="other", version=2**40)]),
            runtime.conversations.find(HALF), runtime.conversations.rename(events[-1].session, HALF),
            runtime.feedback.rate(HALF, "up"), runtime.user_data.note_written("/nowhere/at/all", "user"),
            runtime.user_data.note_written("\0", "user"), runtime.user_data.export("\0"),
            runtime.user_data.import_("x" * 300), runtime.agents.new("other", {"name": None}),
            runtime.agents.export([], to="\0", page_format="claude"),
        ):  # fmt: skip
            with pytest.raises(UsageError):
                await refused
        assert await book.list() == [kept]
