"""Tools that read conversations: find lines in them, read one. What a program may read is what
recall would show its agent, and the turns that it asked for itself."""

from typing import Any

from skill_agent.errors import NotFound
from skill_agent.mcp_server.sets import Tell, Told
from skill_agent.mcp_server.visit import Visit
from skill_agent.values import Message, Search

from .eyes import conversation_of, line_seen, page_of, title_for
from .offer import Arguments, Offer, Offers
from .shapes import LINE, many, maybe, table, text, whole
from .shown import in_a_line, lines, message_line, message_row, moment

LIMIT, MOST = 10, 30
PAGE, LONGEST_PAGE = 30, 100
_LITERAL = 100
"""Messages holding the very words, among which those a program may read are looked for."""


def conversations() -> Offers:
    """The tools."""
    return Offers(_search(), _read())


def _search() -> Offer:
    found = table(
        {
            "conversation": text("Its id, for read_conversation."),
            "title": text(),
            "agent": text(),
            "updated_at": text(),
            "lines": many(LINE),
        }
    )
    return Offer(
        name="search_conversations",
        title="Search conversations",
        description=(
            "Find earlier conversations in which something was said, with the lines that fit. "
            "read_conversation gives one in full."
        ),
        scope="read",
        takes=table(
            {
                "query": text("What was said, in a few words.", least=1, most=2_000),
                "limit": whole(f"Conversations at most; {LIMIT} where left out.", least=1,
                               most=MOST),
            },
            optional=("limit",),
        ),
        gives=table({"conversations": many(found), "count": whole()}),
        run=_found,
    )  # fmt: skip


async def _found(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    limit = arguments.get("limit", LIMIT)
    by_session: dict[str, list[Message]] = {}
    for message in await _lines(visit, arguments["query"], 3 * limit):
        by_session.setdefault(message.session, []).append(message)
    rows = [one for key, said in by_session.items() if (one := await _row(visit, key, said))][
        :limit
    ]
    told = [
        f"- {row['title'] or row['agent']} ({row['conversation']}): {line['role']} said: "
        f"{in_a_line(line['text'])}"
        for row in rows
        for line in row["lines"]
    ]
    head = f"{len(rows)} conversations:" if rows else "nobody said that in a conversation you see"
    return Told(data={"conversations": rows, "count": len(rows)}, text=lines(head, told))


async def _lines(visit: Visit, query: str, limit: int) -> list[Message]:
    """By meaning what recall shows its agent, by the very words also what it asked itself."""
    conversations = visit.station.conversations
    wanted = Search(query, agent=visit.agent, kinds=("turn",), limit=limit)
    hits = await visit.station.memory.search(wanted)
    ids = [one.hit.item.id for one in hits if one.relevant]
    by_id = await conversations.messages_by_id(ids)
    found = {one: by_id[one] for one in ids if one in by_id}
    for message in await conversations.search(query, limit=_LITERAL):
        if message.id not in found and await line_seen(visit, message):
            found[message.id] = message
    return [*found.values()]


async def _row(visit: Visit, key: str, said: list[Message]) -> dict[str, Any] | None:
    try:
        session = await conversation_of(visit, key)
    except NotFound:
        return None
    return {
        "conversation": session.id,
        "title": await title_for(visit, session),
        "agent": session.agent,
        "updated_at": moment(session.updated_at),
        "lines": [message_row(one, 500) for one in said[:3]],
    }


def _read() -> Offer:
    return Offer(
        name="read_conversation",
        title="Read a conversation",
        description=(
            "Read a conversation in order, page by page. Lines between a person and another agent "
            "that you may not see are left out."
        ),
        scope="read",
        takes=table(
            {
                "conversation": text("Its id, or an unambiguous beginning of it.", least=1,
                                     most=200),
                "after": whole("Where to go on: `next_after` of the page before.", least=-1),
                "limit": whole(f"Lines at most; {PAGE} where left out.", least=1,
                               most=LONGEST_PAGE),
            },
            optional=("after", "limit"),
        ),
        gives=table(
            {
                "conversation": text(),
                "title": text(),
                "agent": text(),
                "lines": many(LINE),
                "next_after": maybe(whole()),
            }
        ),
        run=_page,
    )  # fmt: skip


async def _page(visit: Visit, arguments: Arguments, tell: Tell) -> Told:
    session = await conversation_of(visit, arguments["conversation"])
    found, following = await page_of(
        visit, session.id, after=arguments.get("after", -1), limit=arguments.get("limit", PAGE)
    )
    data = {
        "conversation": session.id,
        "title": await title_for(visit, session),
        "agent": session.agent,
        "lines": [message_row(one) for one in found],
        "next_after": following,
    }
    more = "" if following is None else f"\n(more: after={following})"
    head = f"{data['title'] or session.agent} ({session.id}):"
    return Told(data=data, text=lines(head, [*map(message_line, found)]) + more)
