"""What can be done with what waits for the person."""

from ..frame.deeds import Deed, Part

INBOX = (
    Deed(id="inbox.read", what="read it; Esc back to the list", label="read", keys="enter",
         foot=10),
    Deed(id="inbox.cross", what="", keys="tab,shift+tab", action="cross", priority=True),
    Deed(id="inbox.open", what="go on in the conversation it came from", label="reply", keys="o",
         action="open", foot=11),
    Deed(id="inbox.archive", what="put it away", label="put away", keys="a", action="archive",
         foot=12),
    Deed(id="inbox.mark", what="mark it as read or unread", label="unread", keys="m",
         action="mark", foot=14),
    Deed(id="inbox.deliver", what="deliver again what was given up, failed or is held",
         label="deliver again", keys="d", action="deliver", foot=13),
    Deed(id="inbox.copy", what="copy it", label="copy", keys="y", action="copy"),
)  # fmt: skip
PART = Part("The inbox", INBOX)
