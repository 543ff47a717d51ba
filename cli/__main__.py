"""`python -m skill_agent.cli`: the same as `ska`, where the script is not on the path."""

from .main import main

main()
