"""What can be done where one talks: in the composer, on a message, anywhere on the screen."""

from ..frame.deeds import ALWAYS, Deed, Part

COMPOSER = (
    Deed(id="write.send", what="send; while a reply runs: queue", label="sends", keys="enter",
         foot=1),
    Deed(id="write.steer", what="say it to the reply that runs, before its next step",
         label="tells it now", keys="alt+s,ctrl+enter", action="steer", foot=2, priority=True),
    Deed(id="write.newline", what="new line", label="new line", keys="ctrl+j,shift+enter", foot=3),
    Deed(id="write.recall", keys="up", shown="Up, Down",
         what="when empty: edit a queued message, then what you sent before"),
    Deed(id="write.undo", what="take back what was typed last", keys="ctrl+underscore",
         shown="Ctrl+_", action="undo"),
    Deed(id="write.mention", shown="@",
         what="ask another agent once; lay a file, a conversation or a memory beside your words"),
    Deed(id="write.command", shown="/", what="all commands, by name; // begins words"),
)  # fmt: skip

MESSAGE = (
    Deed(id="message.copy", what="copy it", label="copy", keys="c,y", action="copy_block", foot=1),
    Deed(id="message.quote", what="quote it, or what is marked of it, in what you write",
         label="quote", keys="q", action="wish('quote')", foot=3),
)  # fmt: skip
"""On any block of a conversation."""

TURN = (
    Deed(id="message.again", what="ask it once more", label="again", keys="r",
         action="wish('again')", foot=5),
    Deed(id="message.edit", what="change the question: it goes into a branch of its own",
         label="edit", keys="e", action="wish('edit')", foot=6),
    Deed(id="message.branch", what="branch: a new conversation with all up to here",
         label="branch", keys="b", action="wish('branch')", foot=7),
    Deed(id="message.export", what="write the conversation to a file", label="export", keys="x",
         action="wish('export')", foot=12),
)  # fmt: skip
"""On what was asked, what was answered, and what went wrong with it."""

FOLDED = (
    Deed(id="message.fold", what="open or close it", label="open", keys="enter,space",
         action="fold", foot=2),
)  # fmt: skip
"""On what is folded away: a tool call, a thought, a long paste."""

REPLY = (
    Deed(id="reply.good", what="it was good", label="good", keys="plus,u", action="rate('up')",
         foot=8),
    Deed(id="reply.bad", what="it was not good", label="not good", keys="minus,d",
         action="rate('down')", foot=9),
    Deed(id="reply.sources", what="what was remembered for it, and why", label="sources", keys="s",
         action="wish('sources')", foot=10),
    Deed(id="reply.prompt", what="what the model was sent for it, and what was left out",
         label="prompt", keys="p", action="prompt", foot=11),
)  # fmt: skip
"""On a reply, beside what can be done with any block."""

CODE = (
    Deed(id="code.copy", what="copy its code; again: the code before it", label="copy code",
         keys="C", action="copy_code", foot=6),
    Deed(id="code.wrap", what="wrap long lines of its code, or cut them", label="wrap",
         keys="w", action="wrap_code", foot=7),
)  # fmt: skip
"""On a block with code in it."""

TALK = (
    Deed(id="talk.stop", what="stop the reply; what came stays", label="stops", keys="escape",
         action="stop", slash="stop", foot=10),
    Deed(id="agent.next", what="next, previous agent", label="next agent", keys="tab",
         shown="Tab, Shift+Tab", foot=20),
    Deed(id="talk.agents", what="choose who answers", label="who answers", keys="ctrl+g",
         action="agents", slash="agent", priority=True),
    Deed(id="talk.model", what="choose the model that answers, for this talk or always",
         label="model", keys="alt+m", action="model", slash="model", priority=True),
    Deed(id="talk.sessions", what="conversations: find, resume, rename", label="conversations",
         keys="ctrl+s", action="sessions", slash="sessions", foot=21, priority=True),
    Deed(id="talk.new", what="new conversation", label="new conversation", keys="ctrl+n",
         action="new", slash="new", priority=True),
    Deed(id="write.history", what="search what you sent, here and anywhere", label="history",
         keys="ctrl+r", action="history", slash="history", priority=True),
    Deed(id="write.editor", what="write in your own editor ($VISUAL, $EDITOR)", label="editor",
         keys="f12,alt+e", action="editor", slash="editor", priority=True),
    Deed(id="write.unsent", label="not sent yet", keys="alt+w", action="unsent", slash="unsent",
         what="what lies beside your words and what waits: look, edit, take out", priority=True),
    Deed(id="talk.answer", label="answer", keys="f2", action="approval", priority=True,
         what="answer what waits: o once, a always, d deny, r what to do instead"),
    Deed(id="read.page", shown="PgUp, PgDn", what="scroll; the view stays where you put it"),
    Deed(id="read.newest", label="newest", keys="ctrl+end", action="newest", priority=True,
         what="to the newest text, and follow it (End at the end of your text)"),
    Deed(id="read.before", what="step through the messages", label="messages", keys="alt+up",
         action="step(-1)", shown="Alt+Up, Alt+Down", foot=22, priority=True),
    Deed(id="read.after", what="", keys="alt+down", action="step(1)", priority=True),
    Deed(id="read.copy", what="copy the last reply", label="copy reply", keys="ctrl+y",
         action="copy_reply", slash="copy", priority=True),
    Deed(id="talk.export", what="write this conversation to a file: Markdown, HTML, JSON, SVG",
         label="export", action="export", slash="export"),
    Deed(id="read.recalled", what="what was remembered, and why", label="recalled",
         keys="f3", action="memory", slash="recalled", priority=True),
    Deed(id="read.signals", what="there: the figures behind it", keys="f4", action="signals",
         priority=True),
    Deed(id="read.pane", what="into that column: Up and Down, Enter for a memory's story",
         label="into memory", keys="f6", action="pane", priority=True),
    Deed(id="read.prompt", what="what the model was sent for the last reply", label="prompt",
         action="prompt", slash="prompt"),
)  # fmt: skip

HOME = (
    Deed(id="home.press", what="talk to this agent; go on with this conversation",
         label="goes there", keys="enter,space", action="press", foot=1),
    Deed(id="home.recent", what="go on with that one of the last conversations", label="that talk",
         keys="1", shown="1, 2, 3", action="recent(1)", foot=2),
    Deed(id="home.recent2", what="", keys="2", action="recent(2)"),
    Deed(id="home.recent3", what="", keys="3", action="recent(3)"),
)  # fmt: skip
"""On a row of the empty conversation."""

SESSIONS = (
    Deed(id="sessions.open", what="go on with it", label="opens", keys="enter", foot=1),
    Deed(id="sessions.rename", what="give it another title", label="rename", keys="ctrl+e,f2",
         action="rename", foot=3, priority=True),
    Deed(id="sessions.pin", what="keep it at the head of the list, or no longer", label="pin",
         keys="alt+p", action="pin", foot=4, priority=True),
    Deed(id="sessions.branch", what="begin another one with all that was said in it",
         label="branch", keys="alt+y", action="branch", foot=5, priority=True),
    Deed(id="sessions.archive", what="put it away, or back: off the list, remembered as before",
         label="put away", keys="alt+a", action="archive", foot=6, priority=True),
    Deed(id="sessions.delete", what="delete it: off the list and out of recall", label="delete",
         keys="alt+d", action="delete", foot=7, priority=True),
    Deed(id="sessions.archived", what="those put away; once more: the others",
         label="show put away", keys="alt+v", action="archived", foot=8, priority=True),
    Deed(id="sessions.new", what="new conversation", label="new", keys="ctrl+n", action="new",
         foot=2, priority=True),
    Deed(id="sessions.close", what="back to where you were", label="close", keys="escape",
         action="back", foot=ALWAYS),
)  # fmt: skip
"""In the list of conversations; letters are what is looked for."""

PARTS = (
    Part("Writing", COMPOSER),
    Part("Agents, conversations, reading", TALK),
    Part("An empty conversation (Alt+Up goes there)", HOME),
    Part("The list of conversations (letters are what is looked for)", SESSIONS),
    Part("On a message", (*MESSAGE, *FOLDED, *TURN, *REPLY, *CODE)),
)
