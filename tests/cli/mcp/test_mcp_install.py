"""`ska mcp install` and `uninstall`: shown, asked, written in the client's own form, taken back."""

import json
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from client_files import CURSOR, OPENCODE_2, SAMPLES, ZED, jsonc_texts, read_jsonc
from command_line import Ska, Terminal
from hypothesis import given
from hypothesis import strategies as st
from skill_agent.cli.mcp.clients import files
from skill_agent.cli.mcp.clients.changing import Thought, do, putting, taking
from skill_agent.cli.mcp.clients.command import served
from skill_agent.cli.mcp.clients.files import BACKUP, MOST_BYTES
from skill_agent.cli.mcp.clients.known import CLIENTS, Scope, words_of
from skill_agent.cli.mcp.clients.places import Machine, file_of

SCOPES: tuple[Scope, ...] = ("user", "project")
EVERY = pytest.mark.parametrize("client", CLIENTS)


def file(client: str, scope: Scope = "user") -> Path:
    return file_of(CLIENTS[client], scope, Machine.here())


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def read(client: str, path: Path) -> Any:
    text = path.read_bytes().decode("utf-8-sig")
    return tomllib.loads(text) if client == "codex" else read_jsonc(text)


def servers(client: str, path: Path) -> dict[str, Any]:
    found = read(client, path)
    for name in CLIENTS[client].container_in(found):
        found = found[name]
    return found


@EVERY
@pytest.mark.parametrize("scope", SCOPES)
def test_each_client_is_set_up_in_its_own_form(ska: Ska, client: str, scope: Scope) -> None:
    done = ska("mcp", "install", client, "--scope", scope, "--read-only", "--yes")
    assert done.code == 0, done.err
    path = file(client, scope)
    entry = servers(client, path)["ska"]
    says = served(words_of(entry))
    assert says is not None
    assert (says.home, says.read_only, says.agent) == (str(ska.home.root), True, "")
    assert Path(words_of(entry)[0]).is_absolute()
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == (0 if scope == "user" else 0o044)
    assert done.out.startswith(f"--- /dev/null\n+++ {path}\n@@ -0,0 +1,")
    assert CLIENTS[client].then in done.err
    assert (CLIENTS[client].project in done.err) is (scope == "project")


def test_each_clients_form_is_the_one_it_documents(ska: Ska) -> None:
    for client in CLIENTS:
        assert ska("mcp", "install", client, "--yes").code == 0
    entries = {client: read(client, file(client)) for client in CLIENTS}
    program, *rest = words_of(entries["codex"]["mcp_servers"]["ska"])
    plain = {"command": program, "args": rest}
    assert entries == {
        "claude-code": {"mcpServers": {"ska": {"type": "stdio", **plain}}},
        "codex": {"mcp_servers": {"ska": plain}},
        "opencode": {"mcp": {"ska": {"type": "local", "command": [program, *rest]}}},
        "gemini": {"mcpServers": {"ska": plain}},
        "cursor": {"mcpServers": {"ska": {"type": "stdio", **plain}}},
        "vscode": {"servers": {"ska": {"type": "stdio", **plain}}},
        "zed": {"context_servers": {"ska": {**plain, "env": {}}}},
    }


@EVERY
def test_a_file_as_people_have_it_keeps_everything_and_comes_back(ska: Ska, client: str) -> None:
    path = put(file(client), SAMPLES[client])
    path.chmod(0o640)
    before, raw = read(client, path), path.read_bytes()
    done = ska("mcp", "install", client, "--yes")
    assert done.code == 0, done.err
    backup = path.with_name(path.name + BACKUP)
    assert backup.read_bytes() == raw
    assert backup.name in done.err
    now = servers(client, path)
    assert words_of(now.pop("ska"))[-2:] == ("mcp", "serve")
    left = read(client, path)
    container = left
    for name in CLIENTS[client].container_in(left):
        container = container[name]
    assert container.pop("ska")
    missing = client == "gemini"  # it had no servers
    assert left == ({**before, "mcpServers": {}} if missing else before)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(backup.stat().st_mode) == 0o640
    again = ska("mcp", "install", client)
    assert (again.code, again.out) == (0, "")
    assert "already installed" in again.err
    gone = ska("mcp", "uninstall", client, "--yes")
    assert gone.code == 0, gone.err
    assert path.read_bytes() == raw
    assert not backup.exists()
    once_more = ska("mcp", "uninstall", client)
    assert (once_more.code, once_more.out) == (0, "")
    assert "not installed" in once_more.err


@given(jsonc_texts(), st.booleans(), st.sampled_from(["claude-code", "gemini", "cursor"]))
def test_whatever_a_file_holds_it_comes_back_byte_for_byte(
    text: str, marked: bool, client: str
) -> None:
    known = CLIENTS[client]
    raw = (b"\xef\xbb\xbf" if marked else b"") + text.encode()
    words = ["/opt/ska", "mcp", "serve"]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "settings.json"
        path.write_bytes(raw)
        _done(path, putting(known, "ska", words))
        assert words_of(servers(client, path)["ska"]) == tuple(words)
        _done(path, putting(known, "ska", [*words, "--as", "kyra"]))
        assert words_of(servers(client, path)["ska"])[-1] == "kyra"
        _done(path, taking(known, "ska"))
        assert path.read_bytes() == raw
        assert list(path.parent.iterdir()) == [path]


def _done(path: Path, think: Thought) -> None:
    do(think(files.read(path)), think, scope="user")


ODD = {
    "a mark of UTF-8": b'\xef\xbb\xbf{\n  "mcpServers": { }\n}',
    "an empty object": b"{}",
    "blanks in it": b"{ \n\t }\n\n",
    "nothing": b"",
    "only comments": b"// later\r\n",
    "one line": '{"mcpServers":{"ä":{"command":"x"}},"n":1.50}'.encode(),
    "no break at the end": b'{\n   "a": [1,\n2] // c\n   ,"b": 1e5 }',
    "other escapes": b'{"a": "\\u00e4\\/", "a2": 1E+2}\n',
}


@pytest.mark.parametrize("raw", ODD.values(), ids=ODD)
def test_odd_files_come_back_byte_for_byte(ska: Ska, raw: bytes) -> None:
    path = put(file("cursor"), "")
    path.write_bytes(raw)
    assert ska("mcp", "install", "cursor", "--yes").code == 0
    made = path.read_bytes()
    assert words_of(servers("cursor", path)["ska"])
    assert made.startswith(b"\xef\xbb\xbf") is raw.startswith(b"\xef\xbb\xbf")
    assert ska("mcp", "uninstall", "cursor", "--yes").code == 0
    assert path.read_bytes() == raw


def test_what_changed_meanwhile_stays_when_ours_goes(ska: Ska) -> None:
    path = put(file("zed"), ZED)
    assert ska("mcp", "install", "zed", "--yes").code == 0
    path.write_text(path.read_text().replace('"vim_mode": true', '"vim_mode": false'))
    done = ska("mcp", "uninstall", "zed", "--yes")
    assert done.code == 0
    assert path.read_text() == ZED.replace('"vim_mode": true', '"vim_mode": false')
    assert path.with_name(path.name + BACKUP).read_text() == ZED, "it may still be wanted"


def test_an_object_made_for_ours_goes_with_it_unless_somebody_uses_it(ska: Ska) -> None:
    path = put(file("gemini"), SAMPLES["gemini"])
    assert ska("mcp", "install", "gemini", "--yes").code == 0
    made = path.read_text().replace("GitHub", "Dracula")
    path.write_text(made)
    assert ska("mcp", "uninstall", "gemini", "--yes").code == 0
    assert path.read_text() == SAMPLES["gemini"].replace("GitHub", "Dracula")
    path.with_name(path.name + BACKUP).write_text('{"mcpServers": {}, "other": 1}')
    path.write_text(made)
    assert ska("mcp", "uninstall", "gemini", "--yes").code == 0
    assert servers("gemini", path) == {}, "it was there before ours"
    path.write_text(made.replace('"ska": {', '"other": {"command": "y"}, "ska": {'))
    assert ska("mcp", "uninstall", "gemini", "--yes").code == 0
    assert servers("gemini", path) == {"other": {"command": "y"}}


@EVERY
def test_a_file_made_for_ours_goes_with_it(ska: Ska, client: str) -> None:
    assert ska("mcp", "install", client, "--yes").code == 0
    done = ska("mcp", "uninstall", client, "--yes")
    assert done.code == 0
    assert "which held nothing else" in done.err
    assert not file(client).exists()
    assert list(file(client).parent.glob("*ska*")) == []


def test_a_person_sees_it_and_is_asked_and_no_is_the_answer_of_enter(ska: Ska) -> None:
    path = put(file("cursor"), CURSOR)
    for said in ("", "n"):
        person = Terminal([said])
        done = ska("mcp", "install", "cursor", person=person)
        assert done.code == 1
        assert f"Write {path}?" in person.asked[0]
        assert "[y/N]" in person.asked[0]
        assert '"ska"' in done.out
    assert path.read_text() == CURSOR
    assert ska("mcp", "install", "cursor", person=Terminal(["y"])).code == 0
    assert ska("mcp", "uninstall", "cursor", person=Terminal(["n"])).code == 1
    assert "ska" in servers("cursor", path)
    assert ska("mcp", "uninstall", "cursor", person=Terminal(["y"])).code == 0
    assert path.read_text() == CURSOR


def test_without_a_terminal_yes_is_needed(ska: Ska) -> None:
    done = ska("mcp", "install", "cursor")
    assert (done.code, file("cursor").exists()) == (2, False)
    assert "hint: --yes" in done.err
    assert "+++ " in done.out
    assert ska("mcp", "install", "cursor", "--yes").code == 0
    done = ska("mcp", "uninstall", "cursor")
    assert (done.code, file("cursor").exists()) == (2, True)


def test_a_dry_run_writes_nothing(ska: Ska) -> None:
    done = ska("mcp", "install", "zed", "--dry-run", "--yes")
    assert (done.code, file("zed").parent.exists()) == (0, False)
    assert "+++ " in done.out
    put(file("zed"), ZED)
    ska("mcp", "install", "zed", "--yes")
    made = file("zed").read_text()
    assert ska("mcp", "uninstall", "zed", "--dry-run").code == 0
    assert file("zed").read_text() == made


def test_it_says_as_json_what_was_done(ska: Ska) -> None:
    path = put(file("zed"), ZED)
    done = ska("mcp", "install", "zed", "--yes", "--json")
    assert done.json == {
        "id": "zed:user:ska", "client": "zed", "scope": "user", "name": "ska", "file": str(path),
        "installed": True, "written": True, "backup": str(path) + BACKUP,
    }  # fmt: skip
    done = ska("mcp", "install", "zed", "--json")
    assert (done.json["installed"], done.json["written"]) == (True, False)
    done = ska("mcp", "uninstall", "zed", "--json", "--yes")
    assert (done.json["installed"], done.json["written"]) == (False, True)
    done = ska("mcp", "install", "zed", "--json", "--dry-run")
    assert (done.json["installed"], done.json["written"]) == (False, False)


def test_another_agent_or_home_takes_the_place_of_ours(ska: Ska) -> None:
    path = put(file("zed"), ZED)
    assert ska("mcp", "install", "zed", "--yes").code == 0
    path.write_text(path.read_text().replace('"ska": {', '"ska": { // mine\n      "timeout": 9,'))
    done = ska("mcp", "install", "zed", "--as", "@Kyra", "--yes")
    assert done.code == 0, done.err
    entry = servers("zed", path)["ska"]
    assert words_of(entry)[-2:] == ("--as", "kyra")
    assert entry["timeout"] == 9
    assert "// mine" in path.read_text()
    assert done.out.count("\n-") == 1, "one line is changed"
    assert len(list(path.parent.glob(f"*{BACKUP}*"))) == 1, "a change of our own needs no other"
    done = ska("mcp", "install", "zed", "--as", "kyrra", "--yes")
    assert done.code == 2
    assert "kyra" in done.err.casefold()


def test_two_names_live_side_by_side(ska: Ska) -> None:
    for name in ("ska", "ska-luke"):
        assert ska("mcp", "install", "codex", "--name", name, "--yes").code == 0
    assert ska("mcp", "uninstall", "codex", "--yes").code == 0
    assert list(servers("codex", file("codex"))) == ["ska-luke"]
    done = ska("mcp", "install", "codex", "--name", "a.b", "--yes")
    assert done.code == 2


STRANGER = '{"mcpServers": {"ska": {"command": "other-ska", "args": ["run"]}}}\n'


def test_a_strangers_entry_is_replaced_only_by_who_was_asked(ska: Ska) -> None:
    path = put(file("cursor"), STRANGER)
    done = ska("mcp", "install", "cursor", "--yes")
    assert done.code == 2
    assert "--name OTHER" in done.err
    assert "other-ska" in done.out
    assert ska("mcp", "install", "cursor", "--yes", person=Terminal(["n"])).code == 1
    assert path.read_text() == STRANGER
    done = ska("mcp", "install", "cursor", "--yes", person=Terminal(["y"]))
    assert done.code == 0
    assert "other-ska" not in path.read_text()
    assert path.with_name(path.name + BACKUP).read_text() == STRANGER


def test_a_strangers_entry_is_not_taken_out(ska: Ska) -> None:
    path = put(file("cursor"), STRANGER)
    done = ska("mcp", "uninstall", "cursor", "--yes")
    assert done.code == 2
    assert path.read_text() == STRANGER


def test_what_was_kept_before_is_never_written_over(ska: Ska) -> None:
    path = put(file("cursor"), CURSOR)
    old = path.with_name(path.name + BACKUP)
    old.write_text("an older one")
    assert ska("mcp", "install", "cursor", "--yes").code == 0
    assert old.read_text() == "an older one"
    assert path.with_name(f"{path.name}{BACKUP}.2").read_text() == CURSOR
    assert ska("mcp", "uninstall", "cursor", "--yes").code == 0
    assert (path.read_text(), old.read_text()) == (CURSOR, "an older one")


@pytest.mark.parametrize(
    ("client", "text", "place"),
    [
        ("zed", '{\n  "theme": "x"\n  "b": 1\n}', ":3: "), ("zed", "{'a': 1}", ":1: "),
        ("codex", "model = x\n", ":1: "), ("cursor", '{"mcpServers": []}', ":1: "),
        ("codex", "mcp_servers = 3\n", ": "), ("vscode", "[]", ":1: "),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_and_told_with_what_to_do_by_hand(
    ska: Ska, client: str, text: str, place: str
) -> None:
    path = put(file(client), text)
    done = ska("mcp", "install", client, "--yes")
    assert done.code == 2
    assert f"{path}{place}" in done.err
    assert "put this in by hand" in done.err
    assert "serve" in done.err
    assert "Traceback" not in done.err
    assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]
    assert ska("mcp", "uninstall", client, "--yes").code == 2
    assert path.read_text() == text


def test_a_name_that_stands_there_twice_is_told(ska: Ska) -> None:
    assert ska("mcp", "install", "gemini", "--yes").code == 0
    path = file("gemini")
    path.write_text(path.read_text().replace('"ska"', '"ska": {"command": "x"}, "ska"'))
    before = path.read_text()
    done = ska("mcp", "uninstall", "gemini", "--yes")
    assert (done.code, "twice" in done.err) == (2, True)
    assert path.read_text() == before


def test_one_that_is_switched_off_there_is_told(ska: Ska) -> None:
    assert ska("mcp", "install", "codex", "--yes").code == 0
    with file("codex").open("a") as stream:
        stream.write("enabled = false\n")
    done = ska("mcp", "install", "codex")
    assert (done.code, "switched off" in done.err) == (0, True)


def test_a_folder_a_pipe_and_a_circle_in_place_of_the_file(ska: Ska) -> None:
    path = file("cursor")
    path.mkdir(parents=True)
    done = ska("mcp", "install", "cursor", "--yes")
    assert (done.code, "is a folder" in done.err) == (2, True)
    path.rmdir()
    os.mkfifo(path)
    done = ska("mcp", "install", "cursor", "--yes")
    assert (done.code, "no plain file" in done.err) == (2, True)
    path.unlink()
    path.symlink_to(path)
    done = ska("mcp", "install", "cursor", "--yes")
    assert (done.code, "Traceback" in done.err) == (2, False)


def test_a_file_too_large_or_in_another_encoding(ska: Ska) -> None:
    path = put(file("cursor"), "")
    with path.open("r+b") as stream:
        stream.truncate(MOST_BYTES + 1)
    done = ska("mcp", "install", "cursor", "--yes")
    assert (done.code, "is the most" in done.err) == (2, True)
    path.write_bytes('{"a": "ä"}'.encode("latin-1"))
    done = ska("mcp", "install", "cursor", "--yes")
    assert (done.code, f"{path}:1: not UTF-8" in done.err) == (2, True)


def test_a_file_marked_read_only_is_left(ska: Ska) -> None:
    path = put(file("cursor"), CURSOR)
    path.chmod(0o444)
    done = ska("mcp", "install", "cursor", "--yes")
    assert done.code == 2
    assert "marked as read-only" in done.err
    assert path.read_text() == CURSOR
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_made_or_written_is_told(ska: Ska, person: Path) -> None:
    (person / ".cursor").write_text("in the way")
    done = ska("mcp", "install", "cursor", "--yes")
    assert done.code in (1, 2)
    assert "Traceback" not in done.err
    assert "unexpected" not in done.err
    if os.geteuid() == 0:
        return  # nothing is forbidden to root
    path = put(file("codex"), SAMPLES["codex"])
    path.parent.chmod(0o555)
    done = ska("mcp", "install", "codex", "--yes")
    path.parent.chmod(0o755)
    assert (done.code, "cannot be written" in done.err) == (1, True)


def test_a_link_is_written_through(ska: Ska, tmp_path: Path) -> None:
    real = put(tmp_path / "dotfiles" / "zed.json", ZED)
    link = file("zed")
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    assert ska("mcp", "install", "zed", "--yes").code == 0
    assert link.is_symlink()
    assert words_of(servers("zed", real)["ska"])
    assert ska("mcp", "uninstall", "zed", "--yes").code == 0
    assert (real.read_text(), link.is_symlink()) == (ZED, True)


def test_of_two_files_the_one_that_holds_ours_is_meant(ska: Ska) -> None:
    later = put(file("opencode").with_suffix(".jsonc"), OPENCODE_2)
    assert ska("mcp", "install", "opencode", "--yes").code == 0
    put(later.with_suffix(".json"), "{}")
    done = ska("mcp", "install", "opencode")
    assert (done.code, "already installed" in done.err) == (0, True)
    assert ska("mcp", "uninstall", "opencode", "--yes").code == 0
    assert later.read_text() == OPENCODE_2


def test_opencode_is_written_as_the_file_has_it(ska: Ska) -> None:
    path = put(file("opencode").with_suffix(".jsonc"), OPENCODE_2)
    assert ska("mcp", "install", "opencode", "--yes").code == 0
    assert not path.with_suffix(".json").exists()
    found = read_jsonc(path.read_text())["mcp"]
    assert list(found) == ["servers"]
    assert list(found["servers"]) == ["everything", "ska"]
    assert ska("mcp", "uninstall", "opencode", "--yes").code == 0
    assert path.read_text() == OPENCODE_2


def test_a_server_that_is_called_servers_is_no_newer_form(ska: Ska) -> None:
    put(file("opencode"), '{"mcp": {"servers": {"type": "local", "command": ["x"]}}}')
    assert ska("mcp", "install", "opencode", "--yes").code == 0
    assert set(read_jsonc(file("opencode").read_text())["mcp"]) == {"servers", "ska"}


def test_no_secret_is_written_and_none_is_shown(ska: Ska, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "sk-ant-api03-" + "Ab3" * 30
    monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    put(file("cursor"), f'{{\n  "apiKey": "{key}",\n  "mcpServers": {{}}\n}}\n')
    done = ska("mcp", "install", "cursor", "--yes")
    assert key not in done.out + done.err
    assert file("cursor").read_text().count(key) == 1
    assert ska("mcp", "install", "zed", "--yes").code == 0
    assert key not in file("zed").read_text()


def test_unknown_names_are_told_with_the_nearest(ska: Ska) -> None:
    done = ska("mcp", "install", "claude")
    assert (done.code, 'did you mean "claude-code"?' in done.err) == (2, True)
    assert ska("mcp", "uninstall", "vs-code").code == 2
    done = ska("mcp", "install", "zed", "--scope", "projet")
    assert (done.code, "project" in done.err) == (2, True)
    assert ska("mcp", "uninstall").code == 2
    assert ska("--api", "http://127.0.0.1:9", "mcp", "install", "zed").code == 2


def test_the_clients_are_listed_with_their_files(ska: Ska) -> None:
    put(file("zed"), ZED)
    done = ska("mcp", "install", "--json")
    assert [one["id"] for one in done.json] == list(CLIENTS)
    found = {one["id"]: one for one in done.json}
    assert found["zed"]["here"] is True
    assert found["zed"]["user"] == str(file("zed"))
    assert found["vscode"]["project"] == ".vscode/mcp.json"
    assert str(file("zed")) in ska("mcp", "install").out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_stays_its_owners(ska: Ska) -> None:
    path = put(file("cursor"), CURSOR)
    os.chown(path, 1234, 1235)
    assert ska("mcp", "install", "cursor", "--yes").code == 0
    backup = path.with_name(path.name + BACKUP)
    for one in (path, backup):
        assert (one.stat().st_uid, one.stat().st_gid) == (1234, 1235)


@pytest.mark.deep
@pytest.mark.parametrize("there", [CURSOR, ""], ids=["a file", "no folder even"])
def test_many_at_once_lose_nothing(ska: Ska, there: str) -> None:
    path = put(file("cursor"), there) if there else file("cursor")
    names = [f"ska-{number}" for number in range(6)]
    line = [sys.executable, "-m", "skill_agent.cli", "mcp", "install", "cursor", "--yes", "--name"]
    running = [
        subprocess.Popen(
            [*line, name], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for name in names
    ]
    for one in running:
        _, said = one.communicate(timeout=120)
        assert one.returncode == 0, said
    assert sorted(servers("cursor", path)) == (["figma"] if there else []) + names


def test_a_change_between_question_and_answer_is_not_lost(ska: Ska) -> None:
    path = put(file("cursor"), CURSOR)

    class Meanwhile(Terminal):
        def __call__(self, prompt: str) -> str:
            path.write_text(CURSOR.replace("figma", "sketch"))
            return super().__call__(prompt)

    assert ska("mcp", "install", "cursor", person=Meanwhile(["y"])).code == 0
    assert list(servers("cursor", path)) == ["sketch", "ska"]


def test_a_stranger_that_came_in_meanwhile_is_not_replaced(ska: Ska) -> None:
    path = put(file("cursor"), CURSOR)

    class Meanwhile(Terminal):
        def __call__(self, prompt: str) -> str:
            path.write_text(STRANGER)
            return super().__call__(prompt)

    done = ska("mcp", "install", "cursor", person=Meanwhile(["y"]))
    assert done.code == 2
    assert "changed meanwhile" in done.err
    assert path.read_text() == STRANGER


def test_a_long_line_is_shown_by_its_beginning(ska: Ska) -> None:
    put(file("cursor"), json.dumps({"x": "y" * 5_000, "mcpServers": {}}))
    done = ska("mcp", "install", "cursor", "--yes")
    assert "… (a long line)" in done.out
    assert max(map(len, done.out.splitlines())) < 400
