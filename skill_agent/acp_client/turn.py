"""A turn with a program that is ready: the prompt, what comes back, and how it ended."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from acp.schema import PromptResponse

from skill_agent.conversations.accounts import CALL, call_note
from skill_agent.conversations.usage import add
from skill_agent.errors import ModelError, ModelFailed, ModelFiltered, TurnLimit
from skill_agent.events import Event, ToolFinished
from skill_agent.ports import Ledger
from skill_agent.text.redaction import masked_but
from skill_agent.turns.disclosing import disclosing
from skill_agent.turns.fitting import fit_block
from skill_agent.turns.hands import Brief, Hands, Talk
from skill_agent.turns.known import Offer
from skill_agent.turns.loop import given_away, own_words
from skill_agent.turns.opening import Opening, finished, warning
from skill_agent.values import Finish, Usage

from .answering import Answering
from .held import Held
from .prompting import blocks, prompt_text

_ROUNDS = 10
"""How often what the person says meanwhile is passed on."""
_LOOKS_S = 1.0


@dataclass(slots=True)
class Course:
    """A turn as it goes."""

    brief: Brief
    hands: Hands
    held: Held
    answering: Answering
    opening: Opening
    usage: Usage = field(default_factory=Usage)
    finish: Finish = "stop"
    whole: bool = False
    """It came to its end, and the program waits for more."""


async def answered(course: Course, ledger: Ledger, silence_s: float) -> AsyncGenerator[Event, None]:
    """The turn's events, the last one `TurnFinished`; raises what a model's reply raises."""
    brief, hands, held = course.brief, course.hands, course.held
    talk = Talk((), Offer(), course.opening.started)
    async with aclosing(disclosing(brief, hands, talk)) as events:
        async for event in events:
            yield event
    letters = await hands.nearby.letters()
    hands.taint.add(letters.origins)
    found = course.opening.recollection
    beside = (letters.block, found.block if found else "", brief.draft.handed)
    draft = replace(brief.draft, block="\n\n".join(part for part in beside if part))
    plan = await fit_block(draft, brief.fitted, hands.model, hands.tokens)
    text = prompt_text(brief, plan, draft.text, fresh=held.fresh)
    allowed = talk.disclosed.secrets if talk.disclosed else frozenset[str]()
    text = await asyncio.to_thread(masked_but, text, allowed)
    outgoing = course.answering.reply.outgoing
    outgoing.own, outgoing.read = own_words(brief, plan, found), text
    # Whatever it does from here on rests on what it reads with its own hands.
    hands.taint.add(("agent",))
    sent = brief.message.client_context
    prompt = blocks(text, sent.images if sent else (), sees=held.sees)
    for _ in range(_ROUNDS):
        held.prompt(course.answering, prompt)
        async with aclosing(_round(course, silence_s)) as events:
            async for event in events:
                yield event
        await _account(course, ledger)
        held.fresh = False
        said = [*course.answering.instead, *brief.asides()]
        course.answering.instead.clear()
        if not said or course.finish != "stop":
            break
        course.answering.reply.apart = True
        prompt = blocks("\n\n".join(said), (), sees=False)
    _check(course)
    for told in (
        _ending(course),
        *await given_away(brief, hands, outgoing, course.answering.reply.text),
    ):
        if told:
            yield warning(brief, told)
    course.whole = True
    await hands.nearby.read(letters)
    reply = course.answering.reply
    yield finished(brief, reply.text, course.usage, course.opening.started, course.finish)


async def _round(course: Course, silence_s: float) -> AsyncGenerator[Event, None]:
    """One prompt to its end; calls that were begun are ended also where it breaks off."""
    answering, held = course.answering, course.held
    try:
        while True:
            event = await _next(course, silence_s)
            if event is None:
                break
            answering.told()
            if isinstance(event, ToolFinished):
                for told in await _read(course, event):
                    yield told
            yield event
        if answering.past:
            course.finish = "limit"
            await held.stop(answering)
        elif (ended := await held.ended()) is not None:
            _take(course, ended)
    except ModelError:
        for event in answering.rest():
            yield event
        raise
    for event in answering.rest():
        yield event


async def _next(course: Course, silence_s: float) -> Event | None:
    """What is to be told next; None once nothing more comes. Raises ModelFailed where nothing has
    come for too long, and nobody is waited for."""
    answering, held = course.answering, course.held
    while True:
        try:
            async with asyncio.timeout(min(_LOOKS_S, silence_s)):
                return await answering.events.get()
        except TimeoutError:
            if not answering.patient and held.silence >= silence_s:
                name = held.wanted.launch.name
                raise ModelFailed(
                    f"{name} said nothing for {silence_s:g} s and was ended",
                    hint="ask again, or raise acp.silence_timeout_s in config.toml",
                ) from None


async def _read(course: Course, event: ToolFinished) -> Sequence[Event]:
    """What a result does to the turn."""
    course.hands.taint.add(event.origins)
    told = await course.hands.suspicion.reading(event.result, event.origins)
    return [warning(course.brief, told)] if told else []


def _take(course: Course, ended: PromptResponse) -> None:
    match ended.stop_reason:
        case "max_tokens":
            course.finish = "length"
        case "max_turn_requests":
            course.finish = "limit"
        case "refusal":
            course.finish = "filtered"
        case "cancelled":
            course.finish = "cut"
        case _:
            course.finish = "stop"
    used = ended.usage
    first = course.answering.reply.first
    course.usage = replace(
        add(
            course.usage,
            Usage(
                prompt_tokens=used.input_tokens + (used.cached_read_tokens or 0),
                completion_tokens=used.output_tokens,
                cached_tokens=used.cached_read_tokens or 0,
            )
            if used
            else Usage(),
        ),
        first_token_s=max(0.0, first - course.opening.started) if first else 0.0,
    )


async def _account(course: Course, ledger: Ledger) -> None:
    """What one prompt used is noted as a call of a model is; where no price is told, so is that."""
    held, cost = course.held, course.answering.cost
    spent = max(0.0, cost - held.cost) if cost is not None else 0.0
    held.cost = cost if cost is not None else held.cost
    course.usage = replace(
        course.usage,
        model=course.hands.model.info.name,
        cost_usd=course.usage.cost_usd + spent,
        priced=cost is not None,
    )
    data = call_note(course.usage, session=course.brief.session, purpose="reply")
    await ledger.note(CALL, course.brief.turn, actor=course.brief.agent.slug, data=data)


def _check(course: Course) -> None:
    """Raises where nothing was said or done."""
    reply, name = course.answering.reply, course.held.wanted.launch.name
    if reply.text.strip() or (len(course.answering.calls) and course.finish == "stop"):
        return
    match course.finish:
        case "filtered":
            raise ModelFiltered(f"{name} refuses to answer this")
        case "limit":
            raise TurnLimit(_ending(course), hint="ask for less at once")
        case "length":
            raise TurnLimit(f"{name} hit its length limit before it said anything")
        case "cut":
            raise ModelFailed(f"{name} stopped by itself", hint="ask again")
    raise ModelFailed(f"{name} gave no reply", hint="ask again")


def _ending(course: Course) -> str:
    name, past = course.held.wanted.launch.name, course.answering.past
    match course.finish:
        case "limit":
            return f"{name} was stopped: {past}" if past else f"{name} hit its limit of requests"
        case "length":
            return "the reply hit its length limit"
        case "filtered":
            return f"{name} refuses to say more"
        case "cut":
            return f"{name} stopped by itself"
    return ""
