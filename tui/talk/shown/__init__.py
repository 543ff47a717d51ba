"""The conversation as it is shown: its blocks, and how events become them."""
