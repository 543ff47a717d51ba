"""Models named by a file on the hub or on this machine, over real HTTP."""

import hashlib
import os
from pathlib import Path

import pytest
from file_server import hub
from gguf_file import gguf

from skill_agent.errors import NotFound, PullFailed, UsageError
from skill_agent.files.home import Home
from skill_agent.models.files.catalogue import entry, hub_url
from skill_agent.models.files.hub import SourceFailed, asked, at_endpoint
from skill_agent.models.files.installed import installed, loadable, loose_file, loose_names
from skill_agent.models.files.pull import pull
from skill_agent.models.files.reference import hub_file, is_file_name, own_file

DATA = b"GGUF" + os.urandom(200_000)
SHA256 = hashlib.sha256(DATA).hexdigest()
FILE = "hf:someone/Some-GGUF/some-1b-Q4.gguf"


def test_the_hub_tells_size_and_checksum_without_giving_the_file() -> None:
    with hub(DATA) as server:
        server.linked = {"X-Linked-Size": str(len(DATA)), "X-Linked-ETag": f'"{SHA256}"'}
        found = asked(server.url, patience_s=5)
        assert (found.size, found.sha256, found.bytes_per_s) == (len(DATA), SHA256, 0)
        assert server.ranges == ["bytes=0-0"]
        assert asked(server.url, patience_s=5, sample_s=1).bytes_per_s > 0


def test_a_small_files_tag_is_no_checksum() -> None:
    with hub(DATA) as server:
        server.linked = {"X-Linked-ETag": '"9f05aa4202a5b9f5b9e3a6f4d0b0e4d2f6a1c3b7"'}
        found = asked(server.url, patience_s=5)
    assert (found.size, found.sha256) == (len(DATA), "")


def test_a_hub_without_the_file_says_so() -> None:
    with hub(DATA) as server:
        server.status = 404
        with pytest.raises(SourceFailed, match="HTTP 404"):
            asked(server.url, patience_s=5)


def test_a_mirror_takes_the_hubs_place_and_nothing_elses() -> None:
    environ = {"HF_ENDPOINT": "http://mirror.test/"}
    assert at_endpoint(hub_url("a/b", "c"), environ) == "http://mirror.test/a/b/resolve/main/c"
    assert at_endpoint("http://elsewhere.test/c", environ) == "http://elsewhere.test/c"
    assert at_endpoint(hub_url("a/b", "c"), {}) == hub_url("a/b", "c")


def test_a_file_of_the_hub_becomes_one_of_the_persons_own(home: Home) -> None:
    with hub(DATA) as server:
        server.linked = {"X-Linked-Size": str(len(DATA)), "X-Linked-ETag": f'"{SHA256}"'}
        environ = {"HF_ENDPOINT": server.base}
        wanted = hub_file(FILE, "", home, environ)
        told: list[tuple[int, int]] = []
        pull(
            wanted.entry,
            home,
            lambda done, total, _: told.append((done, total)),
            loose=wanted.loose,
            environ=environ,
        )
    assert set(server.paths) == {"/someone/Some-GGUF/resolve/main/some-1b-Q4.gguf"}
    assert loose_names(home) == ["some-1b-Q4"]
    assert loadable("embedded/some-1b-Q4", home).sha256 == SHA256
    assert told[-1] == (len(DATA), len(DATA))
    assert (home.models / "some-1b-Q4.gguf").stat().st_mode & 0o077 == 0


def test_a_checksum_given_by_the_person_decides(home: Home) -> None:
    with hub(DATA) as server:
        environ = {"HF_ENDPOINT": server.base}
        wanted = hub_file(FILE, "0" * 64, home, environ)
        with pytest.raises(PullFailed, match="wrong checksum"):
            pull(wanted.entry, home, loose=True, environ=environ)
        assert loose_names(home) == []
        wanted = hub_file(FILE, f"sha256:{SHA256.upper()}", home, environ)
        pull(wanted.entry, home, loose=True, environ=environ)
    assert loose_names(home) == ["some-1b-Q4"]


def test_a_broken_download_of_unknown_size_goes_on(home: Home) -> None:
    with hub(DATA) as server:
        environ = {"HF_ENDPOINT": server.base}
        wanted = hub_file(FILE, SHA256, home, environ)
        part = home.models / ".pull" / "some-1b-Q4" / "some-1b-Q4.gguf"
        part.parent.mkdir(parents=True)
        part.write_bytes(DATA[:100_000])
        pull(wanted.entry, home, loose=True, environ=environ)
        assert server.ranges == ["bytes=0-0", "bytes=100000-"]


def test_without_room_an_unknown_size_is_asked_first(home: Home) -> None:
    with hub(DATA) as server:
        environ = {"HF_ENDPOINT": server.base}
        wanted = hub_file(FILE, SHA256, home, environ)
        with pytest.raises(PullFailed, match="of free disk"):
            pull(wanted.entry, home, loose=True, environ=environ, free=lambda _: 1000)
        assert server.ranges == ["bytes=0-0"]


def test_right_bytes_of_another_format_are_refused(home: Home) -> None:
    data = b"<html>" + os.urandom(1000)
    with hub(data) as server:
        environ = {"HF_ENDPOINT": server.base}
        wanted = hub_file(FILE, hashlib.sha256(data).hexdigest(), home, environ)
        with pytest.raises(PullFailed, match="no GGUF file"):
            pull(wanted.entry, home, loose=True, environ=environ)


def test_without_any_checksum_nothing_is_fetched(home: Home) -> None:
    with hub(DATA) as server, pytest.raises(PullFailed, match="without a checksum") as caught:
        hub_file(FILE, "", home, {"HF_ENDPOINT": server.base})
    assert "--sha256" in caught.value.hint


def test_no_network_is_told(home: Home) -> None:
    with pytest.raises(PullFailed, match="cannot be reached"):
        hub_file(FILE, "", home, {"HF_ENDPOINT": "http://127.0.0.1:1"})


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("hf:nonsense", "names no GGUF file"),
        ("hf:a/b/c.safetensors", "names no GGUF file"),
        ("hf:a/b/../c.gguf", "names no GGUF file"),
        ("hf:a/b/c-00001-of-00003.gguf", "one piece"),
        ("hf:a/b/qwen3.5-4b.gguf", "is there already"),
    ],
)
def test_references_that_cannot_be_meant(reference: str, said: str, home: Home) -> None:
    with pytest.raises(UsageError, match=said):
        hub_file(reference, SHA256, home, {})
    with pytest.raises(UsageError, match="64 hexadecimal"):
        hub_file(FILE, "abc", home, {})


def test_a_file_that_the_catalogue_has_is_the_catalogues(home: Home) -> None:
    reference = "hf:bartowski/Qwen_Qwen3.5-4B-GGUF/Qwen_Qwen3.5-4B-Q4_K_M.gguf"
    wanted = hub_file(reference, "", home, {"HF_ENDPOINT": "http://127.0.0.1:1"})
    assert (wanted.entry, wanted.loose) == (entry("qwen3.5-4b"), False)


def test_a_hub_model_of_unknown_size_is_here_once_it_was_verified(home: Home) -> None:
    model = entry("qwen3.5-0.8b")
    path = home.models / model.name / model.files[0].name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF not the whole")
    assert not installed(model.name, home)
    with hub(DATA) as server, pytest.raises(PullFailed, match="wrong checksum"):
        pull(model.name, home, environ={"HF_ENDPOINT": server.base})


def test_a_file_of_this_machine_is_linked_in(home: Home, tmp_path: Path) -> None:
    path = gguf(tmp_path / "mine.gguf", {"general.architecture": "llama"})
    path.chmod(0o644)
    wanted = own_file(path, home)
    pull(wanted.entry, home, sources=wanted.sources, loose=wanted.loose)
    found = loose_file("embedded/mine", home)
    assert found is not None
    assert found.stat().st_ino == path.stat().st_ino
    assert path.stat().st_mode & 0o777 == 0o644
    pull(own_file(path, home).entry, home, loose=True)  # again: nothing to do


def test_another_file_of_the_same_name_is_left_alone(home: Home, tmp_path: Path) -> None:
    home.models.mkdir(parents=True)
    (home.models / "mine.gguf").write_bytes(b"GGUF and theirs")
    with pytest.raises(UsageError, match="is there already"):
        own_file(gguf(tmp_path / "mine.gguf", {}), home)


def test_files_that_cannot_be_taken_in(home: Home, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file"):
        own_file(tmp_path / "none.gguf", home)
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(UsageError, match="is no GGUF file"):
        own_file(tmp_path / "text.gguf", home)


@pytest.mark.parametrize(
    ("reference", "file"),
    [
        ("./x.gguf", True), ("~/x", True), ("/tmp/x", True), ("x.gguf", True),
        ("qwen3.5-4b", False), ("embedded/smollm2-135m", False), ("smollm3", False),
    ],
)  # fmt: skip
def test_names_and_files_are_told_apart(reference: str, file: bool) -> None:
    assert is_file_name(reference) is file
