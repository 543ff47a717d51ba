"""Where the socket lies, and whose it must be."""

import os
import socket
import stat
from pathlib import Path

import pytest

from skill_agent.api.door import addresses
from skill_agent.errors import UsageError
from skill_agent.files.home import Home


def listening(path: Path) -> socket.socket:
    """A socket as a host makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bound.bind(str(path))
    path.chmod(0o600)
    bound.listen()
    return bound


@pytest.fixture
def short(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home whose path leaves room for a socket."""
    return Home(tmp_path_factory.mktemp("h"))


def deep(tmp_path: Path) -> Home:
    """A home whose path leaves none."""
    return Home(tmp_path / ("long" * 20) / "home")


def test_a_short_home_has_its_socket_inside(short: Home) -> None:
    assert next(addresses.places(short)) == short.run / "host.sock"


def test_a_long_home_has_it_in_a_short_folder_named_by_user_and_home(tmp_path: Path) -> None:
    home, other = deep(tmp_path), Home(tmp_path / ("long" * 20) / "other")
    (place, *_), (elsewhere, *_) = addresses.places(home), addresses.places(other)
    assert len(os.fsencode(place)) <= addresses.LIMIT
    assert str(os.getuid()) in place.parent.name
    assert place != elsewhere


def test_nobody_there(short: Home) -> None:
    assert addresses.live_socket(short) is None


def test_a_socket_somebody_listens_on_is_live_and_a_dead_ones_is_not(short: Home) -> None:
    bound = listening(short.run / "host.sock")
    assert addresses.live_socket(short) == short.run / "host.sock"
    bound.close()
    assert (short.run / "host.sock").exists()
    assert addresses.live_socket(short) is None


def test_the_pointer_leads_to_a_socket_elsewhere(tmp_path: Path, short: Home) -> None:
    home = deep(tmp_path)
    home.run.mkdir(parents=True)
    place = short.root / "x" / "host.sock"
    with listening(place):
        addresses.point_to(home, place)
        assert addresses.live_socket(home) == place
    assert stat.S_IMODE(addresses.pointer(home).stat().st_mode) == 0o600
    addresses.point_to(home, home.run / "host.sock")
    assert not addresses.pointer(home).exists()


@pytest.mark.parametrize("said", ["", "relative/host.sock", "/etc/passwd", "\0", "/none/host.sock"])
def test_a_pointer_that_makes_no_sense_leads_nowhere(short: Home, said: str) -> None:
    short.run.mkdir()
    addresses.pointer(short).write_text(said)
    assert addresses.live_socket(short) is None


@pytest.mark.parametrize(("which", "mode"), [("folder", 0o755), ("socket", 0o660)])
def test_what_is_open_to_others_is_refused(short: Home, which: str, mode: int) -> None:
    path = short.run / "host.sock"
    with listening(path):
        (path if which == "socket" else path.parent).chmod(mode)
        with pytest.raises(UsageError, match=f"the {which} .* is open to other users") as caught:
            addresses.live_socket(short)
    assert "chmod" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("which", ["folder", "socket"])
def test_what_belongs_to_another_user_is_refused(short: Home, which: str) -> None:
    path = short.run / "host.sock"
    with listening(path):
        os.chown(path if which == "socket" else path.parent, 4711, 4711)
        with pytest.raises(UsageError, match=f"the {which} .* belongs to another user"):
            addresses.live_socket(short)


def test_a_link_is_no_socket_and_no_folder(short: Home, tmp_path: Path) -> None:
    with listening(tmp_path / "s" / "host.sock"):
        short.run.symlink_to(tmp_path / "s")
        with pytest.raises(UsageError, match="neither a socket nor a folder"):
            addresses.live_socket(short)


def test_a_folder_of_ours_is_made_private_and_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    ours.mkdir(mode=0o755)
    addresses.private_folder(ours)
    assert stat.S_IMODE(ours.stat().st_mode) == 0o700
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="neither"):
        addresses.private_folder(tmp_path / "file")
