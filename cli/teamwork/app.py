"""`ska team`: what agents do together."""

from ..options import group
from . import report

app = group("See and steer what your agents do together.")
report.register(app)
