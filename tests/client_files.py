"""Files of MCP clients as people have them, and a reading of JSON with comments that owes nothing
to the product's own."""

import json
import re
from typing import Any

from hypothesis import strategies as st

CLAUDE = """{
  "numStartups": 41,
  "installMethod": "native",
  "tipsHistory": {"new-user-warmup": 1, "memory-command": 40},
  "projects": {
    "/home/zoë/src": {
      "allowedTools": [],
      "mcpServers": {"local-one": {"command": "npx", "args": ["-y", "x"]}},
      "history": [{"display": "why does 1/0 fail // and \\"quotes\\"?", "pastedContents": {}}]
    }
  },
  "mcpServers": {
    "playwright": {
      "type": "stdio",
      "command": "npx",
      "args": ["@playwright/mcp@latest"],
      "env": {}
    }
  },
  "userID": "0f3c"
}"""

ZED = """// Zed settings
//
// For information on how to configure Zed, see the documentation.
{
  "theme": "One Dark", // not "One Light"
  "buffer_font_size": 15,
  "languages": {
    "Python": { "language_servers": ["pyright", "!ruff"], },
  },
  "context_servers": {
    // "old": { "command": "x" },
    "postgres": {
      "command": "/opt/pg-mcp",
      "args": ["--url", "postgres://localhost//db"],
      "env": {},
    },
    /* more to come */
  },
  "vim_mode": true,
}
"""

VSCODE = (
    "{\r\n\t\"inputs\": [\r\n\t\t{ \"type\": \"promptString\", \"id\": \"key\", "
    "\"password\": true }\r\n\t],\r\n\t\"servers\": {\r\n\t\t\"github\": {\r\n"
    "\t\t\t\"type\": \"http\",\r\n\t\t\t\"url\": \"https://api.example.com/mcp/\"\r\n\t\t}\r\n"
    "\t}\r\n}\r\n"
)  # fmt: skip

OPENCODE_1 = """{
  "$schema": "https://opencode.ai/config.json",
  "model": "anthropic/claude-sonnet-4-5",
  "mcp": {
    "jira": { "type": "remote", "url": "https://jira.example.com/mcp", "enabled": true }
  }
}
"""

OPENCODE_2 = """{
  "$schema": "https://opencode.ai/config.json",
  "mcp": {
    "servers": {
      "everything": {
        "type": "local",
        "command": ["npx", "-y", "@modelcontextprotocol/server-everything"], // big
      },
    },
  },
}
"""

GEMINI = """{
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "ui": {"theme": "GitHub"}
}
"""

CURSOR = """{ "mcpServers": { "figma": { "url": "http://127.0.0.1:3845/mcp" } } }"""

CODEX = """model = "gpt-5-codex"   # the fast one
model_reasoning_effort = "high"

[projects."/home/zoë/src"]
trust_level = "trusted"

[mcp_servers.context7]
command = "npx"
args = ["-y", "@upstash/context7-mcp"]

[mcp_servers.context7.env]
TOKEN_FILE = '''C:\\x'''

[tui]
notifications = true # at the end
"""

SAMPLES = {
    "claude-code": CLAUDE, "codex": CODEX, "opencode": OPENCODE_1, "gemini": GEMINI,
    "cursor": CURSOR, "vscode": VSCODE, "zed": ZED,
}  # fmt: skip
"""What stands in the user's file of each client."""

_TOKEN = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*")|(?P<comment>//[^\r\n]*|/\*.*?\*/)|(?P<blank>[ \t\r\n]+)"""
    r"""|(?P<other>[{}\[\],:]|[^\s{}\[\],:"/]+)""",
    re.DOTALL,
)


def tokens(text: str) -> list[str]:
    """Everything but blanks, comments included."""
    found = list(_TOKEN.finditer(text))
    assert "".join(one[0] for one in found) == text, "the samples hold something unknown"
    return [one[0] for one in found if one.lastgroup != "blank"]


def read_jsonc(text: str) -> Any:
    """What a tolerant client makes of it."""
    plain = [one for one in tokens(text) if not one.startswith(("//", "/*"))]
    kept = [
        one for at, one in enumerate(plain)
        if not (one == "," and plain[at + 1 : at + 2] in (["}"], ["]"]))
    ]  # fmt: skip
    return json.loads(" ".join(kept))


_BLANKS = st.sampled_from(
    [
        "", "", " ", "\n", "\n  ", "\t", "\r\n", " // c\n", '\n// "x": {\n', "/* , } */",
        "\n/* a\n*/\n",
    ]
)  # fmt: skip
_NAMES = st.sampled_from(["a", "b", "mcpServers", "ünï", "//", '"', "\\", "{"])
_SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 10**20), st.sampled_from([0.5, 1e9, -2.5e-7]),
    st.text(max_size=4),
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def jsonc_texts(draw: st.DrawFn) -> str:
    """An object with comments, blanks and trailing commas wherever they may stand; where it names
    servers, they are an object."""
    value = draw(st.dictionaries(_NAMES, _VALUES, max_size=4))
    if "mcpServers" in value:
        value["mcpServers"] = draw(st.dictionaries(_NAMES, _VALUES, max_size=3))

    def blank() -> str:
        return draw(_BLANKS)

    def written(one: Any) -> str:
        if not isinstance(one, dict | list):
            return json.dumps(one, ensure_ascii=draw(st.booleans()))
        pairs = one.items() if isinstance(one, dict) else ((None, part) for part in one)
        parts = [
            blank() + ("" if name is None else f"{json.dumps(name)}{blank()}:{blank()}")
            + written(part) + blank()
            for name, part in pairs
        ]  # fmt: skip
        last = "," + blank() if parts and draw(st.booleans()) else ""
        inner = ",".join(parts) + last or blank()
        return f"{{{inner}}}" if isinstance(one, dict) else f"[{inner}]"

    return blank() + written(value) + blank()
