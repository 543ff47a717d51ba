"""No code of ours opens the database as a file: closing such a handle drops DuckDB's lock.

A heuristic over the syntax tree: no call that reads, copies, hashes or packs may have an argument
or a receiver whose text names the ledger's path. Locks and write-ahead logs are files of their own.
"""

import ast
import re

import pytest
from house import FOLDERS as SOURCE_FOLDERS
from house import ROOT

FOLDERS = (*SOURCE_FOLDERS, "benchmarks")

PATH_METHODS = frozenset({
    "open", "read_bytes", "read_text", "write_bytes", "write_text", "touch", "copy",
})  # fmt: skip
FILE_CALLS = PATH_METHODS | {
    "copy2", "copyfile", "copytree", "copyfileobj", "file_digest", "make_archive", "sendfile",
    "mmap", "ZipFile", "add", "write", "memmap", "fromfile",
}  # fmt: skip
DATABASE = re.compile(r"\.ledger\b(?!\.)|ledger_path|\.duckdb|\b(?:self|database)\.path\b")
OPENERS = frozenset({"DuckLedger", "Database", "connect", "duckdb"})


def offences(source: str, *, in_store: bool) -> list[int]:
    """Line numbers of calls that seem to touch the database as a file."""
    found = set[int]()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        name = node.func.attr if isinstance(node.func, ast.Attribute) else _name(node.func)
        if name not in FILE_CALLS or (receiver is not None and _name(receiver) in OPENERS):
            continue
        involved = [*node.args, *(keyword.value for keyword in node.keywords)]
        if receiver is not None and name in PATH_METHODS:
            involved.append(receiver)
        if any(_is_database(ast.unparse(part), in_store) for part in involved):
            found.add(node.lineno)
    return sorted(found)


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _is_database(text: str, in_store: bool) -> bool:
    # `self.path` means the database only where databases live.
    match = DATABASE.search(text)
    return bool(match) and (in_store or not match[0].endswith(".path"))


def test_the_database_is_never_opened_as_a_file() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        for line in offences(
            path.read_text(encoding="utf-8"),
            in_store=path.name in ("database.py", "ledger.py", "journal.py"),
        )
    ]
    assert not found, "\n" + "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "open(home.ledger)",
        "open(home.ledger, 'rb').close()",
        "home.ledger.read_bytes()",
        "shutil.copy(home.ledger, target)",
        "shutil.copyfile(src=str(home.ledger), dst=x)",
        "hashlib.file_digest(ledger_path.open('rb'), 'sha256')",
        "archive.write('x/ledger.duckdb')",
        "self.path.open('rb')",
        "os.open(database.path, 0)",
    ],
)
def test_the_heuristic_sees_what_it_should(line: str):
    assert offences(line, in_store=True) == [1]


@pytest.mark.parametrize(
    "line",
    [
        "DuckLedger.open(home.ledger)",
        "duckdb.connect(str(self.path))",
        "home.ledger.chmod(0o600)",
        "home.ledger.exists()",
        "self.ledger.add(x)",
        "runtime.ledger.log(x)",
        "shutil.copyfile(self.wal, spare)",
    ],
)
def test_the_heuristic_leaves_the_rest_alone(line: str):
    assert offences(line, in_store=True) == []
