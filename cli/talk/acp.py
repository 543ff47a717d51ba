"""`ska acp`: agents inside an editor."""

import typer

from skill_agent.errors import UsageError

from ..options import single

app = single()


@app.command()
def acp(ctx: typer.Context) -> None:
    """Talk to your agents inside an editor (ACP).

    \b
    Example:
      ska acp --agent luke

    \b
    Exit codes: 0 ended.
    """
    raise UsageError("not there yet")
