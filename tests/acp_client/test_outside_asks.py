"""What an outside program asks for: by our rules, by the person, inside one folder."""

import asyncio
import json
import os
from pathlib import Path

import pytest
from outside_home import OutsideHome, gone, said, the, those

from skill_agent.events import (
    ApprovalAnswered,
    ApprovalAsked,
    DiffShown,
    ToolFinished,
    TurnFinished,
)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "a.txt").write_text("one\ntwo\n")
    return folder


async def test_a_person_allows_once(outside: OutsideHome, work: Path) -> None:
    async with outside.opened() as runtime:
        events = await said(runtime, "permit execute make all", answer="once", folder=str(work))
        asked = the(events, ApprovalAsked)
        assert (asked.tool, asked.arguments["command"]) == ("execute", "make all")
        assert asked.rule == (
            f"claude acp:scripted/execute:make all (in {work}) also with text from outside"
        )
        assert the(events, TurnFinished).text == "[yes]"
        call = the(events, ToolFinished)
        assert (call.ok, call.choice, call.by) == (True, "once", "person")
        assert await runtime.approvals.rules() == []


async def test_always_is_a_rule_of_ours_and_can_be_taken_back(
    outside: OutsideHome, work: Path
) -> None:
    async with outside.opened() as runtime:
        step = "permit execute make all"
        events = await said(runtime, step, answer="always", folder=str(work))
        session = the(events, TurnFinished).session
        assert the(events, TurnFinished).text == "[yes]", "the program is told of once alone"
        (rule,) = await runtime.approvals.rules()
        again = await said(runtime, step, session=session)
        assert not those(again, ApprovalAsked)
        assert the(again, TurnFinished).text == "[yes]"
        other = await said(runtime, "permit execute make  all", session=session, answer="deny")
        assert those(other, ApprovalAsked), "another command is another one, however alike"
        await runtime.approvals.revoke(rule)
        assert those(await said(runtime, step, session=session, answer="deny"), ApprovalAsked)


async def test_where_nobody_is_there_the_answer_is_no(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        events = await said(runtime, "permit execute rm -r x", interactive=False)
        assert the(events, ApprovalAnswered).choice == "deny"
        assert the(events, TurnFinished).text == "[no]"
        assert the(events, ToolFinished).ok is False


async def test_what_is_wanted_instead_is_passed_on(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:

        async def answer(approval: str) -> None:
            await runtime.approvals.answer(approval, "deny", words="say Only the tests")

        answers: list[asyncio.Task[None]] = []

        def seen(event: object) -> None:
            if isinstance(event, ApprovalAsked):
                answers.append(asyncio.create_task(answer(event.approval)))

        events = await said(runtime, "permit execute make all", seen=seen)
        assert the(events, TurnFinished).text == "[no]\n\nOnly the tests"
        assert outside.prompts[1] == "say Only the tests"


async def test_files_are_read_in_the_folder_and_nowhere_else(
    outside: OutsideHome, work: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("the code is 4711")
    (work / "link").symlink_to(tmp_path / "secret.txt")
    (work / "out").symlink_to(tmp_path)
    os.mkfifo(work / "pipe")
    (work / "large").write_bytes(b"x" * 2_000_001)
    async with outside.opened() as runtime:
        bad = ("../secret.txt", f"{tmp_path}/secret.txt", "link", "out/secret.txt", "/dev/zero",
               "pipe", "large", "nothing")  # fmt: skip
        steps = " | ".join(f"read {one}" for one in ("a.txt", *bad))
        events = await said(runtime, steps, folder=str(work))
        text = the(events, TurnFinished).text
        assert '"one\\ntwo\\n"' in text
        assert text.count('"code"') == len(bad)
        assert "4711" not in text
        assert (
            "file" in (await runtime.ledger.messages(the(events, TurnFinished).session))[-1].origins
        )


async def test_what_is_written_is_asked_for_and_shown(outside: OutsideHome, work: Path) -> None:
    async with outside.opened() as runtime:
        events = await said(runtime, "write a.txt=three", answer="deny", folder=str(work))
        session = the(events, TurnFinished).session
        assert the(events, ApprovalAsked).arguments == {
            "path": str(work / "a.txt"),
            "content": "three",
        }
        assert "denied" in the(events, TurnFinished).text
        assert (work / "a.txt").read_text() == "one\ntwo\n"
        events = await said(runtime, "write new/b.txt=four", answer="once", session=session)
        assert (work / "new" / "b.txt").read_text() == "four"
        diff = the(events, DiffShown)
        assert (diff.path, diff.before, diff.after) == ("new/b.txt", "", "four")
        for path in ("../c.txt", str(work.parent / "c.txt")):
            events = await said(runtime, f"write {path}=no", session=session)
            assert not those(events, ApprovalAsked)
        assert not (work.parent / "c.txt").exists()


async def test_what_the_person_saw_and_allowed_is_not_asked_for_twice(
    outside: OutsideHome, work: Path
) -> None:
    path = work / "a.txt"
    async with outside.opened() as runtime:
        steps = f"permit edit {path}=three | write {path}=three | write {path}=other"
        events = await said(runtime, steps, answer="once", folder=str(work))
        asked = those(events, ApprovalAsked)
        assert len(asked) == 2, "for other content than was shown it is"
        assert asked[1].arguments["content"] == "other"
        assert asked[0].rule == asked[1].rule
        assert path.read_text() == "other"


async def test_a_command_runs_in_the_folder_without_a_shell(
    outside: OutsideHome, work: Path
) -> None:
    os.environ["OUR_SECRET"] = "hidden"
    try:
        async with outside.opened() as runtime:
            events = await said(
                runtime, "run ls $HOME *.txt | run pwd | run env", answer="once", folder=str(work)
            )
    finally:
        del os.environ["OUR_SECRET"]
    asked = those(events, ApprovalAsked)
    assert asked[0].arguments == {"command": ["ls", "$HOME", "*.txt"], "cwd": str(work)}
    text = the(events, TurnFinished).text
    assert "'$HOME'" in text, "nothing was put in its place"
    assert json.dumps(f"{work}\n")[1:-1] in text
    assert "hidden" not in text


async def test_a_command_ends_with_the_turn(outside: OutsideHome, work: Path) -> None:
    script = work / "long.sh"
    script.write_text("#!/bin/sh\necho $$ > pid\nsleep 300\n")
    script.chmod(0o700)
    wait = "run sh -c while_[_!_-s_pid_];do_sleep_0.01;done"
    async with outside.opened() as runtime:
        events = await said(
            runtime, f"start {script} | {wait} | say Bye", answer="once", folder=str(work)
        )
        assert the(events, TurnFinished).text.endswith("Bye")
        process = int((work / "pid").read_text())
        await gone(process, alone=True)


async def test_a_line_of_a_shell_is_no_command(outside: OutsideHome, work: Path) -> None:
    async with outside.opened() as runtime:
        steps = "line ls && rm -r x | run nosuchprogram"
        events = await said(runtime, steps, answer="once", folder=str(work))
        text = the(events, TurnFinished).text
        assert "this takes a shell" in text
        assert "there is no program" in text


async def test_what_is_no_update_is_passed_over(outside: OutsideHome) -> None:
    async with outside.opened() as runtime:
        text = the(await said(runtime, "odd x | say End"), TurnFinished).text
        assert "overheard" not in text
        assert "-32601" in text
        assert text.endswith("End")
