"""The wheel as a stranger has it: built, installed into an environment of its own, and run."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from house import MODULES, ROOT

pytest.importorskip("build", reason="the package `build` is not installed")
pytest.importorskip("hatchling", reason="hatchling is not installed")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the source distribution, as installers and packagers do."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "-o", str(folder), "."],
        cwd=ROOT, check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def binaries(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `ska` lies in an environment that has the wheel, and borrows what it depends on.

    A path file names the other environment's packages; what lies there is not looked at for path
    files again, so that the checkout of an editable installation stays out of sight.
    """
    folder = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True, timeout=120
    )
    binaries = folder / ("Scripts" if os.name == "nt" else "bin")
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder),
         "install", "--quiet", "--no-deps", "--no-index", str(wheel)],
        check=True, timeout=180,
    )  # fmt: skip
    (packages,) = folder.glob("**/site-packages")
    borrowed = sysconfig.get_path("purelib")
    (packages / "borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")
    return binaries


def run(command: list[str | Path], home: Path) -> str:
    """What an installed program prints, run where nothing of ours lies."""
    environ = {**os.environ, "SKILL_AGENT_HOME": str(home)}
    environ.pop("PYTHONPATH", None)
    done = subprocess.run(
        command, cwd=home.parent, env=environ, capture_output=True, text=True, timeout=120,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_has_one_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    data = {top for top in tops if top.endswith((".dist-info", ".data"))}
    assert tops - data == {"skill_agent"}
    assert any(name.endswith("share/man/man1/ska.1") for name in names)
    expected = {module.replace(".", "/") for module in MODULES}
    there = {name.removesuffix(".py").removesuffix("/__init__") for name in names}
    assert not expected - there
    assert "skill_agent/bundled/agents.toml" in names
    assert "skill_agent/bundled/models.toml" in names
    for sheet in ROOT.glob("tui/**/*.tcss"):
        assert f"skill_agent/{sheet.relative_to(ROOT)}" in names


def test_the_command_runs(binaries: Path, tmp_path: Path) -> None:
    from skill_agent import __version__

    assert __version__ in run([binaries / "ska", "--version"], tmp_path / "home")
    assert "memory" in run([binaries / "ska", "--help"], tmp_path / "home")


def test_what_comes_with_it_is_found(binaries: Path, tmp_path: Path) -> None:
    """A home is made of the bundled agents and skills, and of no file beside the wheel's own."""
    script = (
        "import skill_agent, pathlib\n"
        "from skill_agent.files.bundled import bundled_agents_path, bundled_skills_path\n"
        "assert '[agents.kyra]' in bundled_agents_path().read_text(encoding='utf-8')\n"
        "print(sorted(one.name for one in bundled_skills_path().iterdir() if one.is_dir()))\n"
        "print(pathlib.Path(skill_agent.__file__).parent)\n"
    )
    python = binaries / ("python.exe" if os.name == "nt" else "python")
    skills, package = run([python, "-c", script], tmp_path / "home").splitlines()
    ours = sorted(one.name for one in (ROOT / "skills").iterdir() if one.is_dir())
    assert skills == str(ours)
    assert Path(package).is_relative_to(binaries.parent)
