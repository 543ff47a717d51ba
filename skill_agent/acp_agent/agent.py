"""The methods of the protocol, over a workstation."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from acp.helpers import (
    ContentBlock,
    update_agent_message_text,
    update_available_commands,
    update_current_mode,
)
from acp.interfaces import Client
from acp.meta import PROTOCOL_VERSION
from acp.schema import (
    AgentCapabilities,
    AuthenticateResponse,
    ClientCapabilities,
    CloseSessionResponse,
    ConfigOptionUpdate,
    Implementation,
    InitializeResponse,
    ListSessionsResponse,
    LoadSessionResponse,
    McpCapabilities,
    NewSessionResponse,
    PromptCapabilities,
    PromptResponse,
    ResumeSessionResponse,
    SessionCapabilities,
    SessionCloseCapabilities,
    SessionListCapabilities,
    SessionResumeCapabilities,
    SetSessionConfigOptionResponse,
    SetSessionModeResponse,
)

from skill_agent import __version__
from skill_agent.errors import UsageError
from skill_agent.identifiers import new_id
from skill_agent.workstation import Workstation

from .answering import Answering
from .choices import AGENT, MODEL, TEAM, Choices, choices_of
from .commands import Commands
from .files import Files, ReadsText
from .folders import Folders
from .line import EditorLine
from .prompts import Prompt, read_prompt
from .refusals import INVALID_REQUEST, refusal, telling
from .replay import replay
from .talks import Running, Talk, Talks, conversation_of, page_of

_log = logging.getLogger(__name__)


class EditorAgent:
    """What an editor talks to."""

    client: Client
    """Set once the line stands."""

    def __init__(
        self, station: Workstation, line: EditorLine, folders: Folders, *, agent: str | None = None
    ) -> None:
        """`agent` is the slug of the one that answers unless another is chosen; None leaves it to
        the team."""
        self._station, self._line, self._folders, self._first = station, line, folders, agent
        self._talks, self._commands = Talks(), Commands(station)
        self._editor = ClientCapabilities()

    def on_connect(self, conn: Client) -> None:
        self.client = conn

    # -- the beginning ------------------------------------------------------------------------

    @telling
    async def initialize(
        self,
        protocol_version: int,
        client_capabilities: ClientCapabilities | None = None,
        client_info: Implementation | None = None,
        **_: Any,
    ) -> InitializeResponse:
        """There is one version of the protocol so far; an editor that cannot speak it leaves."""
        self._editor = client_capabilities or ClientCapabilities()
        return InitializeResponse(
            protocol_version=PROTOCOL_VERSION,
            agent_info=Implementation(name="skill-agent", title="skill-agent", version=__version__),
            auth_methods=[],
            agent_capabilities=AgentCapabilities(
                load_session=True,
                prompt_capabilities=PromptCapabilities(
                    image=True, audio=False, embedded_context=True
                ),
                mcp_capabilities=McpCapabilities(http=False, sse=False),
                session_capabilities=SessionCapabilities(
                    list=SessionListCapabilities(),
                    resume=SessionResumeCapabilities(),
                    close=SessionCloseCapabilities(),
                ),
            ),
        )

    @telling
    async def authenticate(self, method_id: str, **_: Any) -> AuthenticateResponse:
        """The home's folder belongs to whoever may start us; there is nothing to prove."""
        return AuthenticateResponse()

    # -- sessions -----------------------------------------------------------------------------

    @telling
    async def new_session(
        self, cwd: str, mcp_servers: Sequence[object] | None = None, **_: Any
    ) -> NewSessionResponse:
        """It becomes a conversation of the home with its first message."""
        folder = self._folder(cwd, mcp_servers)
        choices = await choices_of(self._station, self._first)
        talk = Talk(new_id(), folder, choices, self._first_mode(choices))
        self._opened(talk)
        return NewSessionResponse(
            session_id=talk.id,
            modes=choices.modes(talk.mode),
            config_options=[*choices.options(talk.mode, talk.model)],
        )

    @telling
    async def load_session(
        self, cwd: str, session_id: str, mcp_servers: Sequence[object] | None = None, **_: Any
    ) -> LoadSessionResponse:
        """All that was said is told again before this is answered."""
        talk = await self._reopened(session_id, self._folder(cwd, mcp_servers))
        if talk.begun:
            await replay(self._station, self.client, talk.id)
        return LoadSessionResponse(
            modes=talk.choices.modes(talk.mode),
            config_options=[*talk.choices.options(talk.mode, talk.model)],
        )

    @telling
    async def resume_session(
        self, session_id: str, cwd: str, mcp_servers: Sequence[object] | None = None, **_: Any
    ) -> ResumeSessionResponse:
        talk = await self._reopened(session_id, self._folder(cwd, mcp_servers))
        return ResumeSessionResponse(
            modes=talk.choices.modes(talk.mode),
            config_options=[*talk.choices.options(talk.mode, talk.model)],
        )

    @telling
    async def list_sessions(
        self, cwd: str | None = None, cursor: str | None = None, **_: Any
    ) -> ListSessionsResponse:
        if cwd is not None:
            self._folder(cwd)
        found, following = await page_of(
            self._station, self._folders, cwd=cwd, cursor=cursor, otherwise=str(Path.home())
        )
        return ListSessionsResponse(sessions=found, next_cursor=following)

    @telling
    async def close_session(self, session_id: str, **_: Any) -> CloseSessionResponse:
        """What is being answered is stopped; the conversation stays."""
        talk = self._talks.of(session_id)
        await self._stop(talk)
        self._talks.drop(session_id)
        return CloseSessionResponse()

    # -- choices ------------------------------------------------------------------------------

    @telling
    async def set_session_mode(
        self, mode_id: str, session_id: str, **_: Any
    ) -> SetSessionModeResponse:
        talk = self._talks.of(session_id)
        talk.choices.agent(mode_id)
        talk.mode = mode_id
        self._line.after_answer(lambda: self._tell_options(talk))
        return SetSessionModeResponse()

    @telling
    async def set_config_option(
        self, config_id: str, session_id: str, value: str | bool, **_: Any
    ) -> SetSessionConfigOptionResponse:
        talk = self._talks.of(session_id)
        if config_id == AGENT and isinstance(value, str):
            talk.choices.agent(value)
            talk.mode = value
            self._line.after_answer(lambda: self._tell_mode(talk))
        elif config_id == MODEL and isinstance(value, str):
            talk.model = talk.choices.model(value)
        else:
            raise UsageError(f"there is no option {config_id[:80]!r} with such a value")
        options = talk.choices.options(talk.mode, talk.model)
        return SetSessionConfigOptionResponse(config_options=[*options])

    # -- prompts ------------------------------------------------------------------------------

    @telling
    async def prompt(
        self, prompt: Sequence[ContentBlock], session_id: str, **_: Any
    ) -> PromptResponse:
        """One at a time in a session."""
        talk = self._talks.of(session_id)
        if talk.running is not None:
            raise refusal(
                "this session is being answered", "wait or cancel first", code=INVALID_REQUEST
            )
        running = talk.running = Running(turn=new_id())
        try:
            read = await read_prompt(prompt, Files(talk.folder, self._through_editor(talk)))
            done = await self._command(talk, read)
            if done is None and running.cancelled:
                done = PromptResponse(stop_reason="cancelled")
            return done or await self._answering().answer(talk, read, running)
        finally:
            talk.running = None
            running.over.set()

    @telling
    async def cancel(self, session_id: str, **_: Any) -> None:
        """The prompt is answered as cancelled once its turn has ended."""
        talk = self._talks.known(session_id)
        if talk is not None:
            await self._cancel(talk)

    async def _cancel(self, talk: Talk) -> None:
        if (running := talk.running) is not None:
            running.cancelled = True  # one that is not taken in yet is stopped once it is
            await self._station.turns.cancel(running.turn)

    async def _stop(self, talk: Talk) -> None:
        if (running := talk.running) is not None:
            await self._cancel(talk)
            await running.over.wait()

    async def _command(self, talk: Talk, read: Prompt) -> PromptResponse | None:
        """None where an agent is to be asked."""
        said = await self._commands.run(read.words.strip(), talk.conversation)
        if said is None:
            return None
        if said.ask:
            read.words = said.ask
            return None
        if said.led_by and talk.mode != TEAM:
            talk.mode = said.led_by
            await self._tell_mode(talk)
            await self._tell_options(talk)
        await self.client.session_update(talk.id, update_agent_message_text(said.text))
        return PromptResponse(stop_reason="end_turn")

    # -- the rest -----------------------------------------------------------------------------

    def _answering(self) -> Answering:
        return Answering(
            station=self._station, client=self.client, line=self._line, folders=self._folders
        )

    def _folder(self, cwd: str, mcp_servers: Sequence[object] | None = None) -> Path:
        """Raises UsageError for what is no whole path."""
        if "\0" in cwd or not Path(cwd).is_absolute():
            raise UsageError("cwd is no absolute path", hint="name the folder from the root on")
        if mcp_servers:
            _log.warning(
                "the editor names %d MCP servers, which are not used here: ska mcp add has agents "
                "use them everywhere",
                len(mcp_servers),
            )
        return Path(cwd)

    def _first_mode(self, choices: Choices) -> str:
        if self._first is None:
            return TEAM
        choices.agent(self._first)
        return self._first

    async def _reopened(self, session: str, folder: Path) -> Talk:
        """An open one is taken as it is, for an editor may have lost its view of it."""
        choices = await choices_of(self._station, self._first)
        if (talk := self._talks.known(session)) is not None:
            await self._stop(talk)
            talk.folder, talk.choices = folder, choices
        else:
            found = await conversation_of(self._station, session)
            leads = any(one.slug == found.agent for one in choices.agents)
            mode = TEAM if self._first is None else found.agent if leads else self._first
            talk = Talk(found.id, folder, choices, mode, begun=True)
        self._opened(talk)
        if talk.begun:
            self._folders.keep(talk.id, str(folder))
        return talk

    def _opened(self, talk: Talk) -> None:
        self._talks.add(talk)
        self._line.after_answer(lambda: self._tell_commands(talk))

    async def _tell_commands(self, talk: Talk) -> None:
        update = update_available_commands(self._commands.offered())
        await self.client.session_update(talk.id, update)

    async def _tell_mode(self, talk: Talk) -> None:
        await self.client.session_update(talk.id, update_current_mode(talk.mode))

    async def _tell_options(self, talk: Talk) -> None:
        options = talk.choices.options(talk.mode, talk.model)
        update = ConfigOptionUpdate(
            session_update="config_option_update", config_options=[*options]
        )
        await self.client.session_update(talk.id, update)

    def _through_editor(self, talk: Talk) -> ReadsText | None:
        fs = self._editor.fs
        if fs is None or not fs.read_text_file:
            return None

        async def read(path: str) -> str:
            return (await self.client.read_text_file(session_id=talk.id, path=path)).content

        return read
