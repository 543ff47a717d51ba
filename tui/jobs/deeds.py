"""What can be done with jobs, their runs, and long work in the background."""

from ..frame.deeds import Deed, Part

JOBS = (
    Deed(id="jobs.read", what="to its history; there Enter shows what a run came to", label="runs",
         keys="enter", foot=10),
    Deed(id="jobs.cross", what="", keys="tab,shift+tab", action="cross", priority=True),
    Deed(id="jobs.new", what="a new job: what is to be done, and when", label="new", keys="n",
         action="new", foot=11),
    Deed(id="jobs.edit", what="change it", label="change", keys="e", action="edit", foot=12),
    Deed(id="jobs.approve", what="let a proposed one begin", label="approve", keys="a",
         action="approve", foot=9),
    Deed(id="work.pause", what="pause the chosen one, or have it go on", label="pause",
         keys="p", action="pause", foot=13),
    Deed(id="work.again", what="run a job now; do work once more after it failed or was stopped",
         label="run now", keys="r", action="again", foot=14),
    Deed(id="work.stop", what="stop what runs; what there is of it stays", label="stop",
         keys="c", action="stop", foot=15),
    Deed(id="jobs.remove", what="remove a job; its history stays", label="remove", keys="d,delete",
         action="remove", foot=16),
    Deed(id="jobs.search", what="search among them", label="search", keys="slash",
         action="search", foot=20, priority=True),
    Deed(id="jobs.show", what="show only jobs, or only work in the background", keys="s",
         action="step_show(1)"),
    Deed(id="jobs.show_back", what="", keys="S", action="step_show(-1)"),
    Deed(id="jobs.clear", what="no filters", label="no filters", keys="x", action="clear",
         foot=21),
    Deed(id="work.copy", what="copy the result", label="copy", keys="y", action="copy"),
)  # fmt: skip
PART = Part("Jobs, and work in the background", JOBS)
