"""Pulls a toy model so slowly that a test can kill it on the way.

Arguments: home, URL, size, SHA-256.
"""

import sys
import time
from pathlib import Path

from skill_agent.files.home import Home
from skill_agent.models.files.catalogue import Entry, HubFile, ModelFile
from skill_agent.models.files.pull import pull

root, url, size, sha256 = sys.argv[1:]
file = ModelFile(name="model.bin", size=int(size), sha256=sha256, sources=(HubFile(url),))
toy = Entry(name="toy", kind="chat", title="Toy", licence="MIT", files=(file,))
pull(toy, Home(Path(root)), lambda *_: time.sleep(0.5), environ={})
