"""The turn: one async generator of events, from a user's message to the end of the reply.

It touches neither store nor screen: what it needs comes in as `Hands`, what it does goes out as
events, and the runtime saves what a finished event carries. It raises ModelError and lets
cancellation through; turning those into a `TurnFailed` is the runtime's outer wall.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from skill_agent.conversations.client_context import as_read, with_attached
from skill_agent.conversations.usage import add
from skill_agent.events import (
    Event,
    Notice,
    TextDelta,
)
from skill_agent.ports import ChatMessage
from skill_agent.text.beside import as_it_is_now
from skill_agent.text.gate import tamed
from skill_agent.text.stops import Stops, until_stop
from skill_agent.tools.client import Foreign
from skill_agent.turns.guards.outgoing import Outgoing, repeats, tells_of_another
from skill_agent.turns.guards.watching import Watch, by_code, watched
from skill_agent.values import Usage

from .calling import called, for_client
from .colleagues.nearby import Letters
from .composition import composed
from .disclosing import disclosing
from .fitting import Fit, fit_block
from .hands import Brief, Hands, Talk
from .known import Offer, Recollection
from .manner import Manner
from .opening import Opening, finished, is_own, only_answers, opened, stops, warning
from .prompt import conversation
from .speaking import Reply, check_end, ending, finish_of, request_of, spoken

IDLE_REPLIES = 2
"""After so many in a row whose calls were all refused, the model does not find out of it."""


async def run_turn(brief: Brief, hands: Hands) -> AsyncGenerator[Event, None]:
    """Keeps, recalls, prompts, streams, runs tools and streams again until the model is done."""
    opening = Opening()
    async with aclosing(opened(brief, hands, opening)) as events:
        async for event in events:
            yield event
    if opening.passed:
        return
    manner, kept, recollection = opening.manner, opening.kept, opening.recollection
    started, answered = opening.started, only_answers(brief)
    own, formed = is_own(brief), brief.response_schema is not None
    offer = await hands.offer(manner, recollection) if own else _of_client(brief)
    before = any(one.role == "user" for one in brief.draft.history)
    said = by_code(manner, kept, recollection, offer, said_before=before)
    if said and own and not answered:
        said = until_stop(said, stops(brief))
        yield TextDelta(**brief.ids, text=said)
        usage = Usage(model=hands.model.info.name, first_token_s=time.perf_counter() - started)
        yield finished(brief, said, usage, started)
        return
    computed = await hands.compute(manner)
    letters = await _letters(hands)
    draft = replace(
        brief.draft,
        text=_as_shown(brief, computed, manner),
        block=_beside(brief, letters.block, recollection, "" if answered else manner.hint),
        tools=(*brief.draft.tools, *(tool.spec for tool in offer.foreign.values())),
    )
    # What was counted before stands only for the text and the tools it was counted with.
    same = draft.text == brief.draft.text and not offer.foreign
    fitted = brief.fitted if same else None
    plan = await fit_block(draft, fitted, hands.model, hands.tokens)
    if plan.dropped:
        yield _announcement(brief, plan.dropped)
    hands.compose(composed(draft, plan, recollection, letters.block))
    prompt = _prompt(brief, plan, draft.text)
    free = not (offer.tools or offer.foreign or formed or answered)
    said = with_attached(brief.message)
    watch = watched(manner, said, plan.history, recollection, computed) if free else None
    talk = Talk(prompt, offer, started)
    async with aclosing(disclosing(brief, hands, talk)) as events:
        async for event in events:
            yield event
    outgoing = Outgoing(own=own_words(brief, plan, recollection))
    async with aclosing(_converse(brief, hands, talk, watch, outgoing)) as events:
        async for event in events:
            yield event
    if plan.block:  # the turn ended well, and the model read it
        await hands.nearby.read(letters)


def _prompt(brief: Brief, plan: Fit, text: str) -> tuple[ChatMessage, ...]:
    prompt = conversation(
        plan.system,
        plan.history,
        text=text,
        block=plan.block,
        summary=plan.summary,
        newest=brief.message,
        reader=brief.agent.slug if brief.draft.told_apart else "",
    )
    shown = brief.message.client_context
    return (*prompt[:-1], replace(prompt[-1], images=shown.images)) if shown else prompt


async def _letters(hands: Hands) -> Letters:
    """What colleagues wrote to the agent; what others wrote of it taints the prompt."""
    letters = await hands.nearby.letters()
    hands.taint.add(letters.origins)
    return letters


def _beside(brief: Brief, inbox: str, recollection: Recollection | None, hint: str) -> str:
    """The data block beside the message."""
    found = recollection.block if recollection else hint
    return "\n\n".join(part for part in (inbox, found, brief.draft.handed) if part)


def _as_shown(brief: Brief, computed: str, manner: Manner) -> str:
    """The message as it is read. A small model gets figures in place of a table, which it would
    only add up wrongly, and the code that a diff leaves in place of the diff."""
    text, content = brief.draft.text, with_attached(brief.message)
    if computed and not manner.small:
        return f"{text}\n\n<computed>\n{tamed(computed)}\n</computed>"
    if computed:
        return text.replace(content, f"{tamed(computed)}\n\n{manner.words}")
    if not manner.small or not manner.beside or "```" in manner.matter:
        return text
    code = tamed(as_it_is_now(manner.matter)).strip("\n")
    return text.replace(content, f"{manner.words}\n\n```\n{code}\n```".strip())


def _announcement(brief: Brief, dropped: int) -> Notice:
    messages = "message no longer fits" if dropped == 1 else "messages no longer fit"
    return Notice(
        **brief.ids,
        level="info",
        text=f"{dropped} earlier {messages} the model's window; they stay in the session and "
        "searchable, and are summed up when there is time, or now with: "
        f"ska sessions compact {brief.session}",
    )


def _of_client(brief: Brief) -> Offer:
    """The tools of the program that asks, where it has any and leaves them to the model."""
    free = brief.response_schema is None and brief.tool_choice != "none"
    return Offer(tools={one.name: Foreign(one) for one in brief.client_tools} if free else {})


async def _converse(
    brief: Brief, hands: Hands, talk: Talk, watch: Watch | None, outgoing: Outgoing
) -> AsyncGenerator[Event, None]:
    """Model call, tools, model call … until a reply comes without tool calls, or a limit."""
    total, text, asked, idle = Usage(), "", 0, 0
    if talk.offer.first:
        watch = None
        async with aclosing(called(brief, hands, talk, [talk.offer.first])) as run:
            async for event in run:
                yield event
    while True:
        reply = Reply(outgoing, Stops(stops(brief)))
        outgoing.reading(talk.messages)
        request = request_of(brief, hands, talk)
        async with aclosing(spoken(brief, hands, request, reply, watch)) as events:
            async for event in events:
                yield event
        first = total.first_token_s if asked else reply.usage.first_token_s
        total = replace(add(total, reply.usage), first_token_s=first)
        text, asked = text + reply.text, asked + 1
        foreign = for_client(brief, reply.calls)
        said = () if foreign or reply.finish == "limit" else brief.asides()
        if foreign or not (reply.calls or said) or reply.finish == "limit":
            break
        if asked > brief.most_calls + 1 or idle >= IDLE_REPLIES:
            reply.finish = "limit"
            break
        watch = None  # what tools give is told as it is
        if reply.calls:
            async with aclosing(called(brief, hands, talk, reply.calls, reply.text)) as events:
                async for event in events:
                    yield event
            idle = 0 if talk.useful else idle + 1
        elif reply.text:
            talk.messages = (*talk.messages, ChatMessage(role="assistant", content=reply.text))
        added = (ChatMessage(role="user", content=one) for one in (*said, *brief.asides()))
        talk.messages = (*talk.messages, *added)
    if not foreign:
        check_end(brief, reply, text)
    if told := ending(brief, reply):
        yield warning(brief, told)
    for told in await given_away(brief, hands, outgoing, text):
        yield warning(brief, told)
    ended = finished(brief, text, total, talk.started, finish_of(reply))
    yield replace(ended, finish="tool_calls", tool_calls=foreign) if foreign else ended


def own_words(brief: Brief, plan: Fit, recollection: Recollection | None) -> str:
    """What the person wrote of a prompt: their messages with what they sent along, and what they
    told before."""
    said = [as_read(one) for one in plan.history if one.role == "user"]
    recalled = plan.block if recollection and not recollection.origins else ""
    return "\n".join([*said, brief.draft.text, recalled])


async def given_away(brief: Brief, hands: Hands, outgoing: Outgoing, text: str) -> list[str]:
    """What the person is to be told of a reply."""
    told = [outgoing.told] if outgoing.told else []
    if not hands.taint.origins:
        return told
    if repeats(text, brief.draft.system, outgoing.own):
        told.append("the reply repeats the agent's own instructions; text of others is read here")
    if tells_of_another(text, await hands.others(), outgoing.own):
        told.append("the reply tells what is known of another person; text of others is read here")
    return told
