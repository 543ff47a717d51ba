"""What can be done with what waits for the person."""

from ..frame.deeds import Deed, Part

INBOX = (
    Deed(id="inbox.read", what="answer it or read it; Esc back to the list", label="read",
         keys="enter", foot=10),
    Deed(id="inbox.cross", what="", keys="tab,shift+tab", action="cross", priority=True),
    Deed(id="inbox.open", what="go on in the conversation it came from", label="reply", keys="o",
         action="open", foot=11),
    Deed(id="inbox.archive", what="put it away", label="put away", keys="a", action="archive",
         foot=12),
    Deed(id="inbox.again", what="run a failed job again", label="run again", keys="r",
         action="again", foot=13),
    Deed(id="inbox.resume", what="let a job that was given up go on at its times",
         label="go on", keys="p", action="resume", foot=14),
    Deed(id="inbox.deliver", what="deliver again what was given up, failed or is held",
         label="deliver again", keys="d", action="deliver", foot=15),
    Deed(id="inbox.mark", what="mark it as read or unread", label="unread", keys="m",
         action="mark", foot=16),
    Deed(id="inbox.search", what="search in it", label="search", keys="slash", action="search",
         foot=20, priority=True),
    Deed(id="inbox.show", what="show only what waits, failed, is new or was read", keys="s",
         action="step_show(1)", shown="s, t"),
    Deed(id="inbox.kind", what="", keys="t", action="step_kind(1)"),
    Deed(id="inbox.show_back", what="", keys="S", action="step_show(-1)"),
    Deed(id="inbox.kind_back", what="", keys="T", action="step_kind(-1)"),
    Deed(id="inbox.clear", what="no filters", label="no filters", keys="x", action="clear",
         foot=21),
    Deed(id="inbox.copy", what="copy it", label="copy", keys="y", action="copy"),
)  # fmt: skip

ANSWER = (
    Deed(id="inbox.once", what="allow a tool call once, say yes to a job or a memory",
         label="allow once", keys="o", action="answer('once')", foot=1),
    Deed(id="inbox.always", what="always allow the rule that is shown",
         label="always", keys="a", action="answer('always')", foot=2),
    Deed(id="inbox.deny", what="deny it, or say no", label="deny", keys="d",
         action="answer('deny')", foot=3),
    Deed(id="inbox.instead", what="deny it, and say what to do instead",
         label="do instead", keys="r", action="instead", foot=4),
)  # fmt: skip
"""Beside the list, where all of it can be read: no letter that is on its way allows anything."""
PART = Part("The inbox", INBOX)
ANSWERS = Part("Beside the list of the inbox", ANSWER)
