"""A list that asks for more rows as one comes near its end."""

from textual.message import Message
from textual.widgets import OptionList

NEAR_END = 20
"""Rows from the last one at which more are asked for."""


class GrowingList(OptionList):
    """An option list of which only the beginning is there; who shows it fetches the rest."""

    class MoreWanted(Message):
        """The end of what is here is near."""

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_index >= self.option_count - NEAR_END:
            self.post_message(self.MoreWanted())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if new_value > old_value and new_value >= self.max_scroll_y - NEAR_END:
            self.post_message(self.MoreWanted())
