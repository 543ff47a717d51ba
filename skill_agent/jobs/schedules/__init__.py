"""Words for times, read into schedules without a model, and shown to be looked at before they hold.

What words mean is data: the heading `[schedule]` of each language's file. What is not understood in
full is refused with the part that was not; no word is ever passed over.
"""
