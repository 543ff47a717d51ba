"""An agent of another make, as a program: it speaks the real protocol and does what the last line
of a prompt says, steps parted by ` | `. How it starts wrongly is said by its arguments. What it was
sent is written into a file, one message a line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_STOP = {"refuse": "refusal", "max": "max_tokens", "requests": "max_turn_requests"}


class Agent:
    def __init__(self, log: str, ways: list[str]) -> None:
        self.log, self.ways = Path(log), ways
        self.asked, self.cancelled, self.session = 0, False, ""
        self.stop = "end_turn"

    # -- the wire ----------------------------------------------------------------------------

    def send(self, message: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
        sys.stdout.flush()

    def next(self) -> dict[str, Any]:
        line = sys.stdin.readline()
        if not line:
            if "stubborn" in self.ways:
                while True:
                    time.sleep(60)
            sys.exit(0)
        with self.log.open("a") as file:
            file.write(line)
        message = json.loads(line)
        if message.get("method") == "session/cancel":
            self.cancelled = True
        return message

    def ask(self, method: str, **params: Any) -> Any:
        self.asked += 1
        name = f"a{self.asked}"
        self.send({"id": name, "method": method, "params": {"sessionId": self.session, **params}})
        while True:
            message = self.next()
            if message.get("id") == name and "method" not in message:
                return message.get("result", message.get("error"))

    def update(self, what: str, **fields: Any) -> None:
        update = {"sessionUpdate": what, **fields}
        self.send({"method": "session/update",
                   "params": {"sessionId": self.session, "update": update}})  # fmt: skip

    def say(self, text: str) -> None:
        self.update("agent_message_chunk", content={"type": "text", "text": text})

    # -- methods -----------------------------------------------------------------------------

    def serve(self) -> None:
        while True:
            message = self.next()
            if "method" not in message or "id" not in message:
                continue
            method, params = message["method"], message.get("params") or {}
            if "mute" in self.ways:
                continue
            result = self.answer(method, params)
            if isinstance(result, tuple):
                self.send({"id": message["id"],
                           "error": {"code": result[0], "message": result[1]}})  # fmt: skip
            else:
                self.send({"id": message["id"], "result": result})

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        match method:
            case "initialize":
                return {
                    "protocolVersion": 7 if "version" in self.ways else 1,
                    "agentCapabilities": {
                        "loadSession": "load" in self.ways,
                        "promptCapabilities": {"image": True},
                        "sessionCapabilities": {"resume": {}} if "resume" in self.ways else {},
                    },
                    "authMethods": [],
                }
            case "session/new" if "login" in self.ways:
                return (-32000, "Authentication required")
            case "session/new":
                self.session = f"s-{os.getpid()}"
                modes = {"currentModeId": "careful", "availableModes": []}
                return {"sessionId": self.session, "modes": modes}
            case "session/load" | "session/resume":
                self.session = params["sessionId"]
                self.say("what was said long ago")
                return {}
            case "session/prompt":
                return self.prompt(params["prompt"][0]["text"])
        return (-32601, "Method not found")

    def prompt(self, text: str) -> dict[str, Any]:
        self.cancelled, self.stop = False, "end_turn"
        for step in text.splitlines()[-1].split(" | "):
            name, _, rest = step.strip().partition(" ")
            getattr(self, f"do_{name}", self.say_step)(rest or step)
        reason = "cancelled" if self.cancelled else self.stop
        usage = {"totalTokens": 12, "inputTokens": 7, "outputTokens": 5, "cachedReadTokens": 3}
        return {"stopReason": reason, "usage": usage}

    # -- steps -------------------------------------------------------------------------------

    def say_step(self, text: str) -> None:
        self.say(f"You said: {text}")

    def do_say(self, text: str) -> None:
        self.say(text.encode().decode("unicode_escape"))

    def do_think(self, text: str) -> None:
        self.update("agent_thought_chunk", content={"type": "text", "text": text})

    def do_plan(self, text: str) -> None:
        states = ("completed", "in_progress", "pending")
        self.update("plan", entries=[
            {"content": one, "priority": "high", "status": states[at % 3]}
            for at, one in enumerate(text.split(","))
        ])  # fmt: skip

    def do_cost(self, text: str) -> None:
        self.update("usage_update", used=10, size=1000,
                    cost={"amount": float(text), "currency": "USD"})  # fmt: skip

    def do_tool(self, text: str) -> None:
        kind, _, title = text.partition(" ")
        self.update("tool_call", toolCallId="t1", title=title, kind=kind, status="pending")
        self.update("tool_call_update", toolCallId="t1", status="in_progress",
                    rawInput={"what": title})  # fmt: skip
        self.update("tool_call_update", toolCallId="t1", status="completed",
                    content=[_text("done")])  # fmt: skip

    def do_open(self, text: str) -> None:
        self.update("tool_call", toolCallId="t9", title=text, kind="search", status="in_progress")

    def do_diff(self, path: str) -> None:
        diff = {"type": "diff", "path": path, "oldText": "a\n", "newText": "b\n"}
        self.update("tool_call", toolCallId="d1", title="edit", kind="edit", status="in_progress",
                    content=[diff])  # fmt: skip
        self.update("tool_call_update", toolCallId="d1", status="completed")

    def do_permit(self, text: str) -> None:
        kind, _, command = text.partition(" ")
        call = {"toolCallId": f"p{self.asked}", "title": command, "kind": kind, "status": "pending",
                "rawInput": {"command": command}}  # fmt: skip
        if kind == "edit":
            path, _, new = command.partition("=")
            call |= {"content": [{"type": "diff", "path": path, "newText": new}], "rawInput": {}}
        found = self.ask("session/request_permission", toolCall=call, options=[
            {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
            {"optionId": "ever", "name": "Always", "kind": "allow_always"},
            {"optionId": "no", "name": "No", "kind": "reject_once"},
        ])  # fmt: skip
        chosen = found["outcome"].get("optionId", "cancelled")
        self.update("tool_call_update", toolCallId=call["toolCallId"],
                    status="completed" if chosen == "yes" else "failed")  # fmt: skip
        self.say(f"[{chosen}]")

    def do_read(self, path: str) -> None:
        self.say(json.dumps(self.ask("fs/read_text_file", path=path)))

    def do_write(self, text: str) -> None:
        path, _, content = text.partition("=")
        self.say(json.dumps(self.ask("fs/write_text_file", path=path, content=content)))

    def do_run(self, text: str) -> None:
        """`_` stands for a blank within an argument."""
        command, *args = text.split()
        args = [one.replace("_", " ") for one in args]
        made = self.ask("terminal/create", command=command, args=args)
        if "terminalId" not in made:
            self.say(json.dumps(made))
            return
        name = made["terminalId"]
        self.ask("terminal/wait_for_exit", terminalId=name)
        self.say(json.dumps(self.ask("terminal/output", terminalId=name)))

    def do_line(self, text: str) -> None:
        self.say(json.dumps(self.ask("terminal/create", command=text)))

    def do_start(self, text: str) -> None:
        """A command that nobody waits for."""
        command, *args = text.split()
        self.ask("terminal/create", command=command, args=args)

    def do_wait(self, _: str) -> None:
        while not self.cancelled:
            self.next()

    def do_deaf(self, _: str) -> None:
        while True:
            self.next()

    def do_stop(self, why: str) -> None:
        self.stop = _STOP[why]

    def do_crash(self, code: str) -> None:
        sys.stderr.write("something broke: key sk-ant-api03-abcdefghijklmnopqrstuvwxyz012345\n")
        sys.stderr.flush()
        os._exit(int(code))

    def do_errors(self, size: str) -> None:
        sys.stderr.write("x" * 79 + "\n" + ("y" * 79 + "\n") * (int(size) // 80))
        sys.stderr.flush()

    def do_flood(self, many: str) -> None:
        for at in range(int(many)):
            self.say(f"{at} ")

    def do_huge(self, size: str) -> None:
        self.say("z" * int(size))

    def do_garbage(self, many: str) -> None:
        for _ in range(int(many)):
            sys.stdout.write("this is no message\n")
        sys.stdout.flush()

    def do_odd(self, _: str) -> None:
        """Updates that are none, and one of a session that is not this one."""
        self.update("of_the_future", anything=1)
        self.send({"method": "session/update", "params": 5})
        self.send({"method": "session/update", "params": {"sessionId": "other", "update": {
            "sessionUpdate": "agent_message_chunk",
            "content": {"type": "text", "text": "overheard"}}}})  # fmt: skip
        self.say(json.dumps(self.ask("elicitation/create")))

    def do_spawn(self, _: str) -> None:
        """A child that minds nothing but force."""
        subprocess.Popen(
            [sys.executable, "-S", "-c",
             "import signal,time;[signal.signal(n,signal.SIG_IGN) for n in (1,2,15)];"
             "time.sleep(300)"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip


def _text(text: str) -> dict[str, Any]:
    return {"type": "content", "content": {"type": "text", "text": text}}


def main() -> None:
    log, *ways = sys.argv[1:]
    if "stubborn" in ways:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    if "broken" in ways:
        sys.stderr.write("no config\n")
        sys.exit(3)
    if "talker" in ways:
        for _ in range(100):
            print("Welcome! What would you like to do?", flush=True)
    with Path(log).open("a") as file:
        told = {"group": os.getpgid(0), "env": sorted(os.environ)}
        file.write(json.dumps(told) + "\n")
    Agent(log, ways).serve()


if __name__ == "__main__":
    main()
