"""Whether a credential the person sent may go to a model that runs elsewhere.

It is asked once, as a tool call is; where nobody is there to be asked, or the answer is no, the
model gets a mask, and the person is told. What memory was given without it is told here too.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence

from skill_agent.conversations.client_context import all_said
from skill_agent.conversations.in_words import answered
from skill_agent.events import ApprovalAnswered, ApprovalAsked, Event, Notice
from skill_agent.identifiers import new_id
from skill_agent.ports import Disclosure
from skill_agent.text.redaction import mask
from skill_agent.text.secrets.credentials import secrets_in
from skill_agent.tools.approvals import stored_rule
from skill_agent.values import Choice, Memory, Message

from .hands import Brief, Hands, Talk

TOOL = "send_secret"
_ELSEWHERE = "does not run on this machine; denied, it is sent masked"


async def disclosing(brief: Brief, hands: Hands, talk: Talk) -> AsyncGenerator[Event, None]:
    """Asks, or tells that it was masked; what may be read is `talk.disclosed` then. Says nothing
    where the model runs here.

    "Once" is for this message in this turn; "always" for all that the person sends to that
    provider, in any conversation of the agent's.
    """
    info = hands.model.info
    if info.local:
        return
    # A message may have megabytes, which take a while to look through.
    found = await asyncio.to_thread(_sent, [brief.message])
    rule = f"{TOOL}:{info.provider}"
    # Whoever else wrote of the prompt has no say in what the person's own message holds.
    if hands.allows(rule, False):
        found = await asyncio.to_thread(_sent, [*brief.draft.history, brief.message])
        talk.disclosed = Disclosure(provider=info.provider, secrets=frozenset(found))
        return
    if found and hands.present:
        asked = _asked(brief, hands, found, rule)
        hands.announce(asked)
        yield asked
        decided = await hands.decide(asked.approval, asked.rule)
        yield ApprovalAnswered(**brief.ids, approval=asked.approval, **decided._asdict())
        if (choice := decided.choice) != "deny":
            talk.disclosed = Disclosure(provider=info.provider, secrets=frozenset(found))
            yield Notice(**brief.ids, level="warning", text=_sent_whole(found, info.name, choice))
            return
    if found:
        yield Notice(**brief.ids, level="warning", text=_not_sent(brief, found, info.name))


def kept_without(brief: Brief, kept: Sequence[Memory]) -> Notice | None:
    """Tells that memory has a mask where the message had a credential."""
    if not kept:
        return None
    found = _sent([*brief.draft.history, brief.message])  # "remember that" means what was before
    marks = {mask(kind, secret) for secret, kind in found.items()}
    for memory in kept:
        if hidden := sorted(one for one in marks if one in memory.content):
            text = (
                f"kept without what it must not hold: {', '.join(hidden)} stands in its place. "
                "It is only in this conversation now; to erase it there too: "
                f"ska memory forget {memory.id} --purge"
            )
            return Notice(**brief.ids, level="warning", text=text)
    return None


def _sent(messages: Iterable[Message]) -> dict[str, str]:
    """The credentials in what the person said and sent with it, each with its kind."""
    return {
        text[one.start : one.end]: one.kind
        for message in messages
        if message.role == "user"
        for text in all_said(message)
        for one in secrets_in(text)
    }


def _asked(brief: Brief, hands: Hands, found: dict[str, str], rule: str) -> ApprovalAsked:
    model = hands.model.info.name
    why = f"your message holds a secret, and {model} {_ELSEWHERE}"
    return ApprovalAsked(
        **brief.ids,
        approval=new_id(),
        tool=TOOL,
        arguments={
            "kinds": sorted(set(found.values())),
            "masked": [mask(kind, secret) for secret, kind in found.items()],
            "model": model,
        },
        rule=stored_rule(brief.agent.slug, rule, tainted=False),
        reason="; ".join(filter(None, (hands.asked_by, why))),
        timeout_s=hands.approval_timeout_s,
        chain=brief.chain,
    )


def _sent_whole(found: dict[str, str], model: str, choice: Choice) -> str:
    """What was let go stays told with the reply."""
    marks = ", ".join(dict.fromkeys(mask(kind, secret) for secret, kind in found.items()))
    return f"{model} was sent {marks} unmasked: {answered(choice).lower()}"


def _not_sent(brief: Brief, found: dict[str, str], model: str) -> str:
    marks = ", ".join(dict.fromkeys(mask(kind, secret) for secret, kind in found.items()))
    return (
        f"not sent to {model}: it reads {marks} instead. What you wrote stays in this conversation "
        f"only; to put that away: ska sessions delete {brief.session}"
    )
