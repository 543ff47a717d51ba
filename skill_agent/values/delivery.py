"""What is told to a person who did not just ask: the inbox, ways out of the home, questions."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from .origins import Origin
from .requests import HOST_ONLY

ItemSort = Literal["summary", "result", "failure", "question", "notice", "work"]
DeliveryState = Literal["pending", "held", "delivered", "failed", "given_up"]
WebhookEvent = Literal[
    "conversation.created",
    "conversation.completed",
    "message.created",
    "memory.created",
    "agent.status_changed",
    "job.completed",
    "job.failed",
]
WebhookState = Literal["active", "failing", "paused"]
SentEvent = WebhookEvent | Literal["inbox.item", "webhook.test"]
"""What a webhook gets: what it wants to hear of, what is delivered to it, and a try."""
AnswerAction = Literal["proceed", "revise", "cancel"]
QuestionState = Literal["waiting", "answered", "timed_out", "withdrawn"]
QuestionSource = Literal["tool", "job", "collaboration", "work"]
BridgeState = Literal["off", "starting", "working", "unhealthy", "stopped"]

WEBHOOK_EVENTS: tuple[WebhookEvent, ...] = get_args(WebhookEvent)
ANSWER_ACTIONS: tuple[AnswerAction, ...] = get_args(AnswerAction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """Something to be told, with the ways it is to go."""

    title: str
    text: str
    sort: ItemSort = "result"
    targets: tuple[str, ...] = ("inbox",)
    agent: str = ""
    session: str | None = None
    """A reply to it goes on there."""
    job: str | None = None
    run: str | None = None
    private: bool = False
    """Stays on this machine and in its person's own chats."""
    always: bool = False
    """Told in quiet hours too."""
    origins: tuple[Origin, ...] = ()
    quotes: tuple[str, ...] = ()
    """Conversations whose words it repeats: with any of them it is erased."""
    key: str | None = None
    """The item's id, a UUID: dispatched again with it, nothing is told twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One way that an item takes, and how far it got."""

    id: str
    """`ITEM/TARGET`."""
    item: str
    target: str
    state: DeliveryState = "pending"
    attempts: int = 0
    next_try: datetime | None = None
    error: str = ""
    delivered_at: datetime | None = None
    receipt: str = ""
    """What the other side calls it: a path, a chat's message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxItem:
    """What lies in the inbox."""

    id: str
    title: str
    text: str
    sort: ItemSort = "result"
    agent: str = ""
    session: str | None = None
    job: str | None = None
    run: str | None = None
    private: bool = False
    origins: tuple[Origin, ...] = ()
    quotes: tuple[str, ...] = ()
    """Conversations whose words it repeats: with any of them it is erased."""
    deliveries: tuple[Delivery, ...] = ()
    created_at: datetime
    read_at: datetime | None = None
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxStanding:
    """How the inbox fares."""

    unread: int = 0
    waiting: int = 0
    """Items with a way that has not ended."""
    lost: tuple[Delivery, ...] = ()
    """Ways that were given up and not tried again since, the newest first."""
    problems: dict[str, str] = field(default_factory=dict)
    """By target or kind: what keeps a way from working here that something is to go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQuestion:
    """Something that must not go on without a person."""

    text: str
    detail: str = ""
    """What is to be decided on, whole."""
    source: QuestionSource = "job"
    about: str = ""
    """The id of the job, collaboration, call or work that asks."""
    default: AnswerAction = "cancel"
    """What holds where nobody answers in time; it should be the safe one."""
    timeout_s: float = 86_400.0
    agent: str = ""
    session: str | None = None
    turn: str = ""
    origins: tuple[Origin, ...] = ()
    chain: tuple[str, ...] = ()
    asker: str | None = field(default=None, metadata=HOST_ONLY)
    """The API key whose work asks; None for the person's own."""
    key: str | None = None
    """The question's id, a UUID: asked again with it, it is the same question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with what has become of it."""

    id: str
    text: str
    detail: str = ""
    source: QuestionSource = "job"
    about: str = ""
    default: AnswerAction = "cancel"
    state: QuestionState = "waiting"
    agent: str = ""
    session: str | None = None
    turn: str = ""
    origins: tuple[Origin, ...] = ()
    chain: tuple[str, ...] = ()
    action: AnswerAction | None = None
    words: str = ""
    """What was said beside the action: what is to be done otherwise."""
    by: str = ""
    created_at: datetime
    expires: datetime
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a question came to."""

    action: AnswerAction
    words: str = ""
    by: str = ""
    """A person's window, or `time-out`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HitlWords:
    """The words that answer a question, in one language."""

    id: str
    """Code of the language."""
    proceed: tuple[str, ...]
    revise: tuple[str, ...]
    cancel: tuple[str, ...]
    help: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """An address that is told what happens."""

    url: str
    events: tuple[WebhookEvent, ...] = WEBHOOK_EVENTS
    secret: str = ""
    """Empty: one is made, and told once."""
    secret_env: str = ""
    """Variable of the environment in which the host finds it; only this name is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An address with how it fares; its secret is told when it is made, and never again."""

    id: str
    url: str
    events: tuple[WebhookEvent, ...]
    state: WebhookState = "active"
    """`failing`: it did not take an event after every try; `paused`: its secret is not there."""
    secret: str = ""
    """Told once, where it was made for it."""
    secret_env: str = ""
    failures: int = 0
    """Tries in a row that failed."""
    dropped: int = 0
    """Events that it never got because too many were waiting."""
    problem: str = ""
    created_at: datetime
    last_delivery: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One event on its way to one address."""

    id: str
    """`evt_…`, as the other side gets it."""
    webhook: str
    event: SentEvent
    state: DeliveryState = "pending"
    attempts: int = 0
    status: int | None = None
    """The HTTP status of the last answer."""
    error: str = ""
    next_try: datetime | None = None
    created_at: datetime
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A chat that may talk to the agents, or wants to."""

    id: str
    """The chat's own id."""
    name: str = ""
    state: Literal["pending", "approved"] = "pending"
    since: datetime
    expires: datetime | None = None
    """A pending one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairingCode:
    """What a chat sends to be let in; told once."""

    id: str
    """The code."""
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeStatus:
    """How a way to talk to the agents from elsewhere fares."""

    id: str
    """`telegram`."""
    state: BridgeState = "off"
    problem: str = ""
    hint: str = ""
    name: str = ""
    """What the bot is called there."""
    since: datetime | None = None
    last_heard: datetime | None = None
    chats: int = 0
    waiting: int = 0
    """Messages not sent yet."""
