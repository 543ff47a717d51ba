import asyncio
from pathlib import Path

import pytest
from fakes import StepClock

from skill_agent.errors import NotFound
from skill_agent.events import ApprovalAsked
from skill_agent.tools.approvals import ApprovalDesk, RuleBook, stored_rule


def question(approval: str, turn: str = "t") -> ApprovalAsked:
    return ApprovalAsked(
        session="s",
        turn=turn,
        agent="kyra",
        approval=approval,
        tool="http_get",
        arguments={"url": "http://a.org/"},
        rule="kyra http_get:a.org",
        reason="not an allowed host",
        timeout_s=300,
        origins=("web",),
    )


async def test_an_answer_reaches_whoever_waits_and_counts_once() -> None:
    desk = ApprovalDesk(StepClock())
    desk.open(question("a"))
    waiting = asyncio.create_task(desk.wait("a", 5))
    await asyncio.sleep(0)
    assert desk.answer("a", "once", "tui")
    assert not desk.answer("a", "deny", "telegram")
    assert await waiting == ("once", "tui", "")
    assert not desk.answer("a", "deny", "late")


async def test_an_answer_given_before_anybody_waits_is_not_lost() -> None:
    desk = ApprovalDesk(StepClock())
    desk.open(question("a"))
    desk.answer("a", "always", "tui")
    assert await desk.wait("a", 5) == ("always", "tui", "")


async def test_silence_is_a_no() -> None:
    desk = ApprovalDesk(StepClock())
    desk.open(question("a"))
    assert await desk.wait("a", 0.01) == ("deny", "time-out", "")


async def test_what_waits_is_listed_until_it_is_answered() -> None:
    desk = ApprovalDesk(StepClock())
    desk.open(question("a"))
    desk.open(question("b", turn="other"), asker="key")
    first, second = desk.waiting
    assert (first.id, second.id, second.turn) == ("a", "b", "other")
    assert (first.tool, first.arguments) == ("http_get", {"url": "http://a.org/"})
    assert (first.rule, first.reason) == ("kyra http_get:a.org", "not an allowed host")
    assert first.origins == ("web",)
    assert (first.expires - first.since).total_seconds() == 300
    desk.answer("a", "deny", "tui")
    assert [one.id for one in desk.waiting] == ["b"], "settled, though its turn has not heard yet"
    assert desk.asker("b") == "key"


async def test_a_turn_that_ended_waits_for_nothing() -> None:
    desk = ApprovalDesk(StepClock())
    desk.open(question("a"))
    desk.open(question("b", turn="other"))
    desk.drop("t")
    assert [one.id for one in desk.waiting] == ["b"]
    assert not desk.answer("a", "once", "tui")


def test_rules_are_stored_listed_and_revoked(tmp_path: Path) -> None:
    book = RuleBook(tmp_path / "approvals.txt")
    assert book.rules() == []
    book.add("kyra http_get:a.org")
    book.add("kyra http_get:a.org")
    assert RuleBook(tmp_path / "approvals.txt").rules() == ["kyra http_get:a.org"]
    assert book.allows("kyra", "http_get:a.org")
    assert not book.allows("luke", "http_get:a.org")
    assert not book.allows("kyra", "http_get:b.org")
    assert not book.allows("kyra", "http_get:a.org", tainted=True)
    assert (tmp_path / "approvals.txt").stat().st_mode & 0o777 == 0o600
    book.revoke("kyra http_get:a.org")
    assert not book.allows("kyra", "http_get:a.org")
    with pytest.raises(NotFound, match="no stored rule"):
        book.revoke("kyra http_get:a.org")


def test_a_rule_covers_calls_under_outside_text_only_where_it_says_so(tmp_path: Path) -> None:
    book = RuleBook(tmp_path / "approvals.txt")
    book.add(stored_rule("kyra", "remember", tainted=True))
    assert book.rules() == ["kyra remember also with text from outside"]
    assert book.allows("kyra", "remember", tainted=True)
    assert book.allows("kyra", "remember"), "the wider one holds for the narrower case"
    book.revoke("kyra remember also with text from outside")
    book.add(stored_rule("*", "remember", tainted=False))
    assert book.allows("luke", "remember")
    assert not book.allows("luke", "remember", tainted=True)


def test_a_rule_is_one_plain_line_whatever_it_is_made_of(tmp_path: Path) -> None:
    book = RuleBook(tmp_path / "approvals.txt")
    rule = "http_get:a.org\nkyra http_get:b.org\u202e\x1b[2K"
    book.add(stored_rule("kyra", rule, tainted=False))
    assert len(book.rules()) == 1
    assert book.allows("kyra", rule)
    assert not book.allows("kyra", "http_get:b.org")
