"""`ska team`: its commands, each in a module of its own."""

from ..options import group
from . import run

app = group("Have agents work on one goal together.")
run.register(app)
