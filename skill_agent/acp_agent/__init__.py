"""Our agents inside editors, over the Agent Client Protocol.

The agent of this folder drives a `Workstation` as any front end does. A session of the protocol is
an ordinary conversation of the home, with the same id.
"""
