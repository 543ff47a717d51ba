"""`ska chat`: a plain read-and-reply loop for screen readers, dumb terminals and quick talks."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from skill_agent.conversations.seats_told import told_of
from skill_agent.errors import SkillAgentError, UsageError
from skill_agent.text.attachments import label
from skill_agent.text.decisions import in_one_line
from skill_agent.text.redaction import masked
from skill_agent.values import Attachment, Search, SeatMoment

from ..opening.running import ready_to_talk
from ..options import AgentOption, FollowOption, SessionOption, single
from ..output import emit_text, narrate, tell_error
from ..surroundings import Surroundings, surroundings
from .ask import one_turn
from .driver import Talk, talking
from .render import Outcome, TextView
from .spoken import SpokenView
from .typed_lines import Said, TypedLines
from .wishes import InOption, ModelOptions, SystemOption, folder_of, options_of

app = single()

_HELP = """\
/agent NAME     go on with another agent     /agents    who there is
/invite NAME    bring an agent in            /leave NAME  take one out
/handoff NAME   hand this conversation over  /back      give it back
/sessions       latest conversations         /memory Q  search what is remembered
/answer WORDS   answer what a job asks       /help      this help
/quit           leave (or Ctrl+D)
A long text you paste is kept until you say what to do with it; /drop forgets it.
@name in a message addresses an agent once; Ctrl+C stops a reply."""


@app.command()
def chat(
    ctx: typer.Context,
    agent: AgentOption = None,
    system: SystemOption = None,
    option: ModelOptions = None,
    folder: InOption = None,
    follow: FollowOption = False,
    session: SessionOption = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="States in words and nothing drawn: for screen readers.")
    ] = False,
) -> None:
    """Talk to an agent, line by line, without the full screen.

    Nothing is drawn and nothing moves: one line in, the reply below it. Lines piped in are asked
    one after another; nobody typed them, so nothing in them is remembered. Type /help inside for
    its commands. With --plain, and where TERM is dumb, each state is told in words, a reply comes
    in whole lines, and no escape sequence is sent.

    \b
    Examples:
      ska chat
      ska chat -a luke
      ska chat --session "release plan"
      ska chat -a claude --in ~/code/shop
      ska chat -s "answer in one line" -o temperature=0
      ska chat --plain
    """
    around = surroundings(ctx)
    wishes = {
        "system": system or "",
        "options": options_of(option),
        "folder": folder_of(folder, elsewhere=bool(around.api)),
    }
    plain = plain or os.environ.get("TERM") == "dumb"
    talk_by_lines(around, agent, "latest" if follow else session, wishes, plain=plain)


def talk_by_lines(
    around: Surroundings,
    agent: str | None,
    session: str | None,
    wishes: Mapping[str, Any],
    *,
    plain: bool,
) -> None:
    """The talk until its end; a plain one does without the line editor, which draws."""
    home = ready_to_talk(around)
    with (
        talking(around, role="chat", hosting=True) as talk,
        contextlib.nullcontext() if plain else _line_history(home.run / "history"),
    ):
        conversation = Conversation(talk, around, agent, wishes, plain=plain)
        conversation.begin(session)
        conversation.loop()


class Conversation:
    """The loop and its state: which session, which agent."""

    def __init__(
        self,
        talk: Talk,
        around: Surroundings,
        agent: str | None,
        wishes: Mapping[str, Any],
        *,
        plain: bool = False,
    ) -> None:
        """`wishes` go with every message, as fields of a `TurnRequest`."""
        self._talk, self._around, self._wishes, self._plain = talk, around, wishes, plain
        self._runtime = talk.runtime
        self._session: str | None = None
        self._lines = TypedLines()
        self._told: set[str] = set()
        """Questions that were shown."""
        self._pasted: tuple[Attachment, ...] = ()
        """Goes with the next message."""
        self._agent = agent or self._runtime.settings.general.default_agent
        self._named = self._asked = agent
        """Named beside the next message; None leaves it to the conversation."""

    def begin(self, session: str | None) -> None:
        """Finds session and agent, and wakes the agent in the background."""
        if session:
            found = self._talk.call(self._runtime.conversations.find, session)
            self._session, self._agent = found.id, found.agent
            narrate(f"going on with {found.title!r} ({found.messages} messages)")
        self._use(self._agent)
        self._asked = None if self._session else self._named
        if waiting := self._talk.call(self._runtime.inbox.standing).unread:
            narrate(f"{waiting} in the inbox not read: ska inbox")
        narrate("/help for commands, Ctrl+D to leave")

    def loop(self) -> None:
        """Reads and answers until the end of input."""
        while True:
            self._tell_questions()
            try:
                said = self._read()
            except EOFError:
                if self._around.interactive:
                    narrate("")
                return
            except KeyboardInterrupt:
                narrate("")
                continue
            line = said.text.strip()
            if line in ("/quit", "/exit", "/q"):
                return
            try:
                if said.pasted:
                    self._paste(said.text)
                else:
                    self._answer(line, piped=said.piped)
            except SkillAgentError as error:
                tell_error(error.message, error.hint)

    def _read(self) -> Said:
        if self._around.stdin is not None:
            line = self._around.stdin.readline()
            if not line:
                raise EOFError
            return Said(line.decode("utf-8", "replace"), piped=True)
        if sys.stdin.isatty():
            return self._lines.next(f"{self._agent}> ")
        return Said(_next_piped_line(), piped=True)

    def _paste(self, text: str) -> None:
        pasted = Attachment(text.strip("\r\n"), origin="paste")
        self._pasted = (*self._pasted, pasted)
        narrate(f"[{label(pasted)}] say what to do with it; Enter sends it as it is, /drop not")

    def _answer(self, line: str, *, piped: bool = False) -> None:
        command, _, rest = line.partition(" ")
        rest = rest.strip()
        match command:
            case "":
                if self._pasted:
                    self._say("")
            case "/drop":
                self._pasted = ()
            case "/help":
                emit_text(_HELP)
            case "/agent":
                self._use(rest)
                self._named = True
            case "/agents":
                for dna in self._talk.call(self._runtime.agents.list):
                    emit_text(f"{dna.slug}  {dna.name}  {dna.tagline}")
            case "/invite" | "/leave" | "/handoff" | "/back":
                self._seat(command, rest)
            case "/sessions":
                for one in self._talk.call(self._runtime.conversations.list, limit=10):
                    emit_text(f"{one.id}  {one.agent}  {one.title}")
            case "/memory":
                self._search(rest)
            case "/answer":
                self._reply(rest)
            case _ if command.startswith("/") and command.count("/") == 1:
                tell_error(f"no command {command}", "/help")
            case _ if piped:
                self._pasted = (*self._pasted, Attachment(line, origin="pipe"))
                self._say("")
            case _:
                self._say(line)

    def _say(self, line: str) -> None:
        outcome = Outcome()
        one_turn(
            self._talk, self._around, line, outcome, self._view(),
            session=self._session, agent=self._asked, attachments=self._pasted, **self._wishes,
        )  # fmt: skip
        self._pasted = ()
        self._session = outcome.ids.get("session", self._session)
        self._asked = None  # from here on it is the conversation's to say
        self._follow()

    def _view(self) -> TextView:
        if not self._plain:
            return TextView()
        known = {one.slug: one.name for one in self._talk.call(self._runtime.agents.list)}
        return SpokenView(known)

    def _tell_questions(self) -> None:
        """What jobs and others ask, once each."""
        if not self._around.interactive:
            return
        try:
            waiting = self._talk.call(self._runtime.questions.list)
        except SkillAgentError:
            return  # it is told with the next thing one asks for
        for one in waiting:
            if one.id not in self._told:
                self._told.add(one.id)
                narrate(f"{one.agent or one.source} asks: {in_one_line(one.text)}")
                narrate(f"  all of it: ska questions show {one.id}")
                narrate("  /answer yes · /answer no · /answer change: …")

    def _reply(self, rest: str) -> None:
        """Answers the oldest question, or the one whose id is named first."""
        waiting = self._talk.call(self._runtime.questions.list)
        first, _, others = rest.partition(" ")
        named = [one for one in waiting if len(first) >= 8 and one.id.startswith(first)]
        if len(waiting) > 1 and not named:
            told = "; ".join(f"{one.id} {in_one_line(one.text)[:40]}" for one in waiting)
            raise UsageError(f"{len(waiting)} questions wait", hint=f"/answer ID …: {told}")
        if not waiting:
            raise UsageError("nothing waits for an answer")
        one, words = (named[0], others) if named else (waiting[0], rest)
        done = self._talk.call(self._runtime.questions.answer, one.id, words, by="the chat")
        narrate(f"answered: {done.action}")

    def _follow(self) -> None:
        """Whoever leads the conversation by now is the one who is talked to."""
        if self._session:
            self._agent = self._talk.call(self._runtime.conversations.find, self._session).agent

    def _seat(self, command: str, name: str) -> None:
        """Who takes part, changed; the window tells it in words."""
        if not self._session:
            raise UsageError("there is no conversation yet", hint="say something first")
        seats, known = self._runtime.seats, len(self._moments())
        match command:
            case "/invite":
                self._talk.call(seats.invite, self._session, name.split())
            case "/leave":
                self._talk.call(seats.leave, self._session, name)
            case "/handoff":
                to, _, reason = name.partition(" ")
                self._talk.call(seats.hand_over, self._session, to, reason=reason.strip())
            case _:
                self._talk.call(seats.go_back, self._session)
        for moment in self._moments()[known:]:
            narrate(told_of(moment, self._session).line)
        self._follow()

    def _moments(self) -> list[SeatMoment]:
        return self._talk.call(self._runtime.seats.history, self._session)

    def _use(self, name: str) -> None:
        dna = self._talk.call(self._runtime.agents.get, name.lstrip("@"))
        self._agent = dna.slug
        if not self._session:
            self._asked = dna.slug
        else:
            self._talk.call(self._runtime.conversations.set_agent, self._session, dna.slug)
        self._talk.start(self._runtime.turns.wake, dna.slug)
        narrate(f"{dna.name} · {dna.tagline}" if dna.tagline else dna.name)

    def _search(self, query: str) -> None:
        found = self._talk.call(self._runtime.memory.search, Search(query, limit=5))
        for one in found:
            emit_text(f"{one.hit.score:.2f}  {one.hit.item.id}  {one.hit.item.text}")
        if not found:
            narrate("nothing found")


def _next_piped_line() -> str:
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line


@contextmanager
def _line_history(file: Path) -> Iterator[None]:
    """Arrow keys and a history kept in the home, where the platform has readline; what is written
    there has no keys and passwords in it."""
    try:
        import readline
    except ImportError:
        yield
        return
    with contextlib.suppress(OSError):
        readline.read_history_file(file)
    readline.set_history_length(1000)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.touch(mode=0o600)
            for at in range(readline.get_current_history_length()):
                line = readline.get_history_item(at + 1)
                if (hidden := masked(line)) != line:
                    readline.replace_history_item(at, hidden)
            readline.write_history_file(file)
