"""What can be done where one talks: in the composer, on a message, anywhere on the screen."""

from ..frame.deeds import Deed, Part

COMPOSER = (
    Deed(id="write.send", what="send; while a reply runs: queue", label="sends", keys="enter",
         foot=1),
    Deed(id="write.newline", what="new line", label="new line", keys="ctrl+j,shift+enter", foot=2),
    Deed(id="write.recall", keys="up", shown="Up, Down",
         what="when empty: edit a queued message, then what you sent before"),
    Deed(id="write.undo", what="take back what was typed last", keys="ctrl+underscore",
         shown="Ctrl+_", action="undo"),
    Deed(id="write.mention", shown="@name", what="ask another agent once; Tab completes the name"),
)  # fmt: skip

MESSAGE = (
    Deed(id="message.copy", what="copy it", label="copy", keys="c,y", action="copy_block", foot=1),
)
"""On any block of a conversation."""

FOLDED = (
    Deed(id="message.fold", what="open or close it", label="open", keys="enter,space",
         action="fold", foot=2),
)  # fmt: skip
"""On what is folded away: a tool call, a thought, a long paste."""

REPLY = (
    Deed(id="reply.good", what="it was good", label="good", keys="plus,u", action="rate('up')",
         foot=3),
    Deed(id="reply.bad", what="it was not good", label="not good", keys="minus,d",
         action="rate('down')", foot=4),
    Deed(id="reply.prompt", what="what the model was sent for it, and what was left out",
         label="prompt", keys="p", action="prompt", foot=5),
)  # fmt: skip
"""On a reply, beside what can be done with any block."""

TALK = (
    Deed(id="talk.stop", what="stop the reply; what came stays", label="stops", keys="escape",
         action="stop", slash="stop", foot=10),
    Deed(id="agent.next", what="next, previous agent", label="next agent", keys="tab",
         shown="Tab, Shift+Tab", foot=20),
    Deed(id="talk.agents", what="choose who answers", label="agents", keys="ctrl+g",
         action="agents", slash="agent", priority=True),
    Deed(id="talk.sessions", what="conversations: find, resume, rename", label="conversations",
         keys="ctrl+s", action="sessions", slash="sessions", foot=21, priority=True),
    Deed(id="talk.new", what="new conversation", label="new conversation", keys="ctrl+n",
         action="new", slash="new", priority=True),
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
    Deed(id="read.recalled", what="what was recalled, and why", label="recalled",
         keys="f3", action="memory", slash="recalled", priority=True),
    Deed(id="read.signals", what="there: every signal", keys="f4", action="signals",
         priority=True),
    Deed(id="read.pane", what="into that column: Up and Down, Enter for a memory's story",
         label="into memory", keys="f6", action="pane", priority=True),
    Deed(id="read.prompt", what="what the model was sent for the last reply", label="prompt",
         action="prompt", slash="prompt"),
)  # fmt: skip

PARTS = (
    Part("Writing", COMPOSER),
    Part("Agents, conversations, reading", TALK),
    Part("On a message", (*MESSAGE, *FOLDED, *REPLY)),
)
