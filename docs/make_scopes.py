"""Writes docs/scopes.md, what each scope of an API key may do, from the routes themselves.

python docs/make_scopes.py
"""

from collections.abc import Iterator
from pathlib import Path

from skill_agent.access.confined import is_confined
from skill_agent.access.keys import PROMISES, SCOPES, includes
from skill_agent.api.app import BY_HAND
from skill_agent.workstation import Route, table

PAGE = Path(__file__).with_name("scopes.md")
TALK = ("/chat", "/chat/stream", "/chat/completions")
"""Ends of the paths beside the table that begin a turn."""
SOCKET = "| `WEBSOCKET /v1/agents/{slug}/ws` |  | own |  | yes |"

HEAD = """# What a key may do

Over TCP every request needs an API key (`ska keys create NAME --scope SCOPE`) or a token made
with one. A key has one scope or several:

| scope | may |
|---|---|
{promises}

On the home's own socket, in the window and on the command line there is no key: whoever can open
the home is its person, and may do everything. So may everybody with `ska serve --no-auth`.

## What is a key's own

- **A conversation belongs to the key that began it**, by the key's id. A token asks as its key. A
  new key is another one, also under the old name; what a revoked key began stays with the home's
  person. Without `read` there are no other conversations for a key: ids, titles and `latest` find
  its own, and so does the history that a client of OpenAI's sends along. To list and search, and
  to follow `/v1/events`, takes `read`.
- **A turn belongs to the key that asked for it.** Only this key, or one with `admin`, may stop it
  or answer what it asks. "Always" takes `admin`, for it stores a rule for every later turn: from
  another key it is refused, and the question denied.
- **A task belongs to the key that gave it.** Only this key, or one with `admin`, may stop it, have
  it tried again or say something to it. What its agent does is done for that key, with no more
  rights than the key has; after a crash, or tried again, with those of `chat` alone.
- **What is said with a key that lacks `memory` stays in its conversation**: "remember that …" is
  answered with a notice, nothing is read from it for memories, then or later, and it is not
  recalled elsewhere. A key with neither `read` nor `memory` is told nothing of what is remembered
  either: its turns run without memory, profile and search.
  Its words are not the home's person's: a URL in them asks like any other, and the person's own
  turns in that conversation are as careful as with any text of others ([security.md](security.md)).
- The rules you stored, an agent's tools and its allowed hosts hold for every key's turns.
- Which skills are tools of an agent of the team is said with `admin`; of a client with `chat`.
- What a key changes is written down as done by `key:ID`, whatever the request says.

A key that is revoked or runs out, a token that runs out, and a key whose scopes are cut in its
file lose their open streams within a second or two: an event `error` (a frame, then close code
1008 on a WebSocket; OpenAI's error object on its route) says why. A reply that is being made is
stopped as when the caller hangs up, and what there is of it kept. Nobody but the home's person or
an `admin` key can answer what it still asks.

## Every route

*own*: only what is the key's own, as above; `read` beside it opens all conversations, yet no
other one's turn or question. `GET /health` and `GET /ready` need no key; `POST /v1/auth/token`
takes any, and so does `/mcp`, where each tool asks for its scope ([mcp.md](mcp.md)).
What speaks of this machine's files and processes is on the home's own socket only.

| route | {scopes} |
|---|{rules}|
"""


def page() -> str:
    """The whole page."""
    promises = "\n".join(f"| `{scope}` | {PROMISES[scope]} |" for scope in SCOPES)
    head = HEAD.format(
        promises=promises, scopes=" | ".join(SCOPES), rules="|".join("---" for _ in SCOPES)
    )
    return head + "\n".join([*rows(), SOCKET]) + "\n"


def rows() -> Iterator[str]:
    """A line for each route over TCP, by path."""
    for route, own in sorted(reached(), key=lambda one: (one[0].path, one[0].verb)):
        cells = " | ".join(cell(route, scope, own=own) for scope in SCOPES)
        yield f"| `{route.verb} {route.path}` | {cells} |"


def reached() -> Iterator[tuple[Route, bool]]:
    """Each route over TCP, and whether a key reaches only what is its own through it."""
    for one in table():
        if not one.route.local:
            yield one.route, is_confined(one)
    for route in BY_HAND:
        yield route, route.path.endswith(TALK)


def cell(route: Route, scope: str, *, own: bool) -> str:
    """What a key of this scope alone may do there."""
    if not includes((scope,), route.scope):
        return ""
    return "own" if own and scope not in ("read", "admin") else "yes"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
