"""The ways out of this machine's own: real files, a real program, a real receiver."""

import asyncio
import json
import os
import stat
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from mounting import fill, small_disk
from told_home import told_home

from skill_agent.delivery.sinks.to_apprise import AppriseSink, url_of, variable_of
from skill_agent.delivery.sinks.to_desktop import DesktopSink
from skill_agent.delivery.sinks.to_file import FileSink
from skill_agent.errors import NotDelivered, UsageError
from skill_agent.identifiers import new_id
from skill_agent.values import Dispatch, InboxItem

ITEM = InboxItem(
    id=new_id(),
    title="The day: <b>bold</b>\x1b[2J & more",
    text="Two things\n\nare open \x1b]0;title\x07 & <i>that</i> is all",
    sort="summary",
    agent="kyra",
    session="s1",
    origins=("web",),
    created_at=datetime(2026, 11, 30, 9, 24, tzinfo=UTC),
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "inbox"


@pytest.fixture
def files(tmp_path: Path, folder: Path) -> FileSink:
    return FileSink(folder, home=tmp_path / "home", own=tmp_path / "person", zone="UTC")


# -- files ---------------------------------------------------------------------------------------


def sent(files: FileSink, address: str = "") -> Path:
    return Path(asyncio.run(files.send(ITEM, address)))


def test_one_private_file_an_item(files: FileSink, folder: Path) -> None:
    file = sent(files)
    assert file.parent == folder and file.name.startswith("2026-11-30 0924 The-day-b-bold")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert f"id: {ITEM.id}\n" in text and "words of: web\n" in text and "\x1b" not in text
    assert "# The day: <b>bold</b>" in text and f"ska inbox reply {ITEM.id}" in text
    assert [one.name for one in folder.iterdir()] == [file.name]


def test_a_try_that_was_cut_short_is_known_again_and_nothing_is_overwritten(
    files: FileSink, folder: Path
) -> None:
    first = sent(files)
    first.write_text(first.read_text() + "a word of mine")
    assert sent(files) == first
    assert first.read_text().endswith("a word of mine")
    first.write_text("quite another file")
    second = sent(files)
    assert second.name.endswith(" 2.md") and first.read_text() == "quite another file"
    second.unlink()
    second.touch()  # claimed, and killed before it was filled
    assert sent(files) == second and second.stat().st_size > 0


@pytest.mark.parametrize("address", ["daily", "a/b", "~/notes", "../inbox/x"])
def test_folders_that_are_safe(
    files: FileSink, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    files.check(address)
    file = sent(files, address)
    assert file.is_file() and file.is_relative_to(tmp_path)


@pytest.mark.parametrize(
    "address",
    ["..", "../config.toml", "/etc", "/", "~/.ssh", "~/.config/autostart", "~/x/../.ssh", "a\0b"],
)
def test_folders_that_are_not(
    files: FileSink, tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    with pytest.raises(UsageError):
        files.check(address)
    with pytest.raises(NotDelivered) as told:
        sent(files, address)
    assert not told.value.again


def test_a_link_leads_no_further(files: FileSink, folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    files.check("out")
    (tmp_path / "outside").mkdir()
    (folder / "out").symlink_to(tmp_path / "outside")
    with pytest.raises(NotDelivered):
        sent(files, "out")
    assert list((tmp_path / "outside").iterdir()) == []


async def test_a_full_disk_is_tried_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "1m") as disk:
        sink = FileSink(disk / "told", home=tmp_path / "home", zone="UTC")
        (disk / "told").mkdir()
        taken = fill(disk)
        async with told_home(tmp_path, sink) as home:
            item = await home.delivering.deliver(
                Dispatch(title="Done", text="x" * 9_000, targets=("file",))
            )
            await home.settle()
            way = await home.way(item.id, "file")
            assert (way.state, way.attempts) == ("failed", 1) and "disk is full" in way.error
            assert list((disk / "told").iterdir()) == []
            taken.unlink()
            await home.run(minutes=1)
            way = await home.way(item.id, "file")
            assert way.state == "delivered"
            assert [str(one) for one in (disk / "told").iterdir()] == [way.receipt]


# -- the desktop ---------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A notify-send that writes down what it was called with."""
    place = tmp_path / "bin" / "notify-send"
    place.parent.mkdir()
    place.write_text(
        "#!/bin/sh\n"
        f'for word in "$@"; do printf "%s\\0" "$word"; done > {tmp_path}/told\n'
        f"test ! -e {tmp_path}/broken || {{ echo no desktop >&2; exit 1; }}\n"
    )
    place.chmod(0o755)
    return place


def desktop(program: Path) -> DesktopSink:
    return DesktopSink(platform="linux", find=lambda _: str(program))


async def test_a_notification_is_short_tame_and_no_option(program: Path, tmp_path: Path) -> None:
    item = replace(ITEM, title="--icon=x $(touch pwned) " + "y" * 200, text="a\nb <b>&" * 99)
    assert await desktop(program).send(item, "") == ""
    app, dashes, title, body = (tmp_path / "told").read_text().split("\0")[:-1]
    assert (app, dashes) == ("--app-name=skill-agent", "--")
    assert title.startswith("--icon=x $(touch pwned)") and len(title) <= 80
    assert body.startswith("a b &lt;b&gt;&amp;") and len(body) < 1_000 and "\n" not in body
    await desktop(program).send(ITEM, "")
    assert "\x1b" not in (tmp_path / "told").read_text()


async def test_of_what_is_private_the_title_alone_is_shown(program: Path, tmp_path: Path) -> None:
    await desktop(program).send(replace(ITEM, private=True), "")
    assert (tmp_path / "told").read_text().split("\0")[3:] == ["", ""]


async def test_a_desktop_that_is_not_there_now_may_be_later(program: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    with pytest.raises(NotDelivered, match="no desktop") as told:
        await desktop(program).send(ITEM, "")
    assert told.value.again


async def test_no_program_is_told_with_what_to_install(tmp_path: Path) -> None:
    nothing = DesktopSink(platform="linux", find=lambda _: None)
    with pytest.raises(NotDelivered, match="no notify-send") as told:
        await nothing.send(ITEM, "")
    assert not told.value.again and "libnotify" in told.value.hint
    assert nothing.missing("") == "there is no notify-send"
    assert "no notifications on" in DesktopSink(platform="plan9").missing("")
    with pytest.raises(UsageError):
        nothing.check("left")


async def test_on_a_mac_the_words_are_arguments_of_a_fixed_script(
    program: Path, tmp_path: Path
) -> None:
    await DesktopSink(platform="darwin", find=lambda _: str(program)).send(ITEM, "")
    words = (tmp_path / "told").read_text().split("\0")[:-1]
    assert words[-3] == "--" and words[-2].startswith("The day: <b>bold</b>")
    assert not any("bold" in one for one in words[:-2])


# -- Apprise -------------------------------------------------------------------------------------


class Receiver(ThreadingHTTPServer):
    """Takes what Apprise posts as JSON."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[dict[str, str]] = []
        self.status = 200


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Receiver)
        server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as made:
        thread = threading.Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own imports
async def test_apprise_reaches_a_real_receiver_and_the_url_stays_unsaid(
    receiver: Receiver, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"json://me:hunter22secret@127.0.0.1:{receiver.server_port}/path"
    sink = AppriseSink(lambda name: url if name == "phone" else None)
    receiver.status = 500
    async with told_home(tmp_path, sink) as home:
        item = await home.delivering.deliver(
            Dispatch(title="Done", text="It went well", targets=("apprise:phone",))
        )
        await home.settle()
        failed = await home.way(item.id, "apprise:phone")
        assert (failed.state, failed.error) == ("failed", "phone did not take it")
        receiver.status = 200
        await home.run(minutes=1)
        assert (await home.way(item.id, "apprise:phone")).state == "delivered"
        assert receiver.got[-1]["title"] == "Done" and "went well" in receiver.got[-1]["message"]
        everything = str(await home.ledger.log(limit=100)) + caplog.text
        assert "hunter22secret" not in everything
        lost = await home.delivering.deliver(
            Dispatch(title="Done", text="It went well", targets=("apprise:unknown",))
        )
        await home.settle()
        assert (await home.way(lost.id, "apprise:unknown")).state == "given_up"
        problems = (await home.inbox.standing()).problems
        assert problems == {"apprise:unknown": "there is no URL named unknown"}


def test_a_url_is_no_target() -> None:
    sink = AppriseSink(lambda _: None)
    with pytest.raises(UsageError, match="secrets") as told:
        sink.check("json://me:secret@host")
    assert "secret@host" not in str(told.value)
    for wrong in ("", "Ph one", "x" * 41):
        with pytest.raises(UsageError):
            sink.check(wrong)
    sink.check("my-phone")


def test_a_name_stands_for_a_variable() -> None:
    name = variable_of("my-phone")
    assert name == "SKILL_AGENT_APPRISE_MY_PHONE"
    os.environ[name] = "json://localhost"
    try:
        assert url_of("my-phone") == "json://localhost"
    finally:
        del os.environ[name]
