"""`ska migrate status`: the schema of a home's ledger, and what stands between it and the newest.

A home is migrated when it is opened; this command looks, and opens nothing for writing.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from skill_agent.errors import HomeBusy, NotFound, StoreError

from ..options import JsonOption, group
from ..output import emit_json, narrate, record, table
from ..surroundings import on_this_machine

app = group("See the schema of the ledger, and what a migration does.")


@app.command()
def status(ctx: typer.Context, as_json: JsonOption = False) -> None:
    """Say which schema the ledger has, which is the newest, and what each step does.

    Nothing is migrated: that happens when a newer version opens the home. It works on a copy,
    verifies that, and keeps the file from before for 30 days.

    \b
    Example:
      ska migrate status --json
    """
    home = on_this_machine(ctx).home
    if not home.exists:
        raise NotFound(f"there is no skill-agent home at {home.root}", hint="ska init")
    told = _told(home.ledger)
    if as_json:
        emit_json(told)
        return
    shown = {name: value for name, value in told.items() if name not in ("steps", "copies")}
    record(shown.items())
    steps = told["steps"]
    rows = [(one["id"], "yes" if one["done"] else "no", one["what"]) for one in steps]
    table(("step", "done", "what it does"), rows)
    for one in told["copies"]:
        narrate(f"kept from before: {one['path']} ({one['size']:,} bytes, {one['at'][:10]})")


def _told(ledger: Path) -> dict[str, Any]:
    from ...store.duckdb_ledger.migrating import kept_copies
    from ...store.duckdb_ledger.schema import MIGRATIONS, NEWEST

    schema, problem = _schema(ledger)
    return {
        "id": str(ledger),
        "schema": schema,
        "newest": NEWEST,
        "needed": schema is not None and 0 < schema < NEWEST,
        "problem": problem,
        "steps": [
            {"id": number, "done": schema is not None and number <= schema, "what": _what(step)}
            for number, step in enumerate(MIGRATIONS, 1)
        ],
        "copies": [_copy(one) for one in kept_copies(ledger)],
    }


def _schema(ledger: Path) -> tuple[int | None, str]:
    """The file's version, or why it cannot be told; 0 where there is no ledger yet."""
    from ...store.duckdb_ledger.database import Database
    from ...store.ledger.anchor import Anchors

    if not ledger.exists():
        return 0, ""
    database = Database(ledger, only_reads=True)
    try:
        database.open()
        return database.version, ""
    except HomeBusy as busy:
        # Whoever has it open has brought it to the schema it said when it did.
        anchor = Anchors(ledger).read()
        return anchor.schema if anchor else None, busy.message
    except StoreError as error:
        return None, error.message
    finally:
        database.close()


def _what(step: Any) -> str:
    said = " ".join((step.__doc__ or "").split())
    return said.partition(": ")[2].rstrip(".")


def _copy(file: Path) -> dict[str, Any]:
    found = file.stat()
    at = datetime.fromtimestamp(found.st_mtime, UTC).isoformat()
    return {"id": file.name, "path": str(file), "size": found.st_size, "at": at}
