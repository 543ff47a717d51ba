#!/bin/sh
# Two processes, one memory: every command below is an ordinary `ska` command of its own.
set -eu
PATH="$BIN:$PATH"

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {
    printf '\n\033[2m$\033[0m ska'
    for word in "$@"; do
        case $word in *" "*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    ska "$@"
}

say "1. A home, and the embedded models (fetched once, verified by checksum)"
run init --yes

say "2. The first conversation"
run ask -a kyra "Remember that I deploy on Fridays from the release branch"
run ask -a kyra --continue "Now something else: what goes well with tomato soup? One sentence, please."

say "3. A new process, a new session: she remembers"
run ask -a kyra "When do I deploy?"

say "4. Where that came from"
run memory search "deployment day" --limit 1 --json

say "Your turn"
printf '%s\n' \
    "  . .venv/bin/activate" \
    "  export SKILL_AGENT_HOME=$SKILL_AGENT_HOME   # this demo's home; without it \`ska init\` makes yours" \
    "  ska                                   # the terminal workstation" \
    "  ska ask @luke 'What does chmod 4755 do?'" \
    "  ska doctor"
