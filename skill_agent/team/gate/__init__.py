"""Who answers a message: how well each agent fits it, who has the last word, and what was decided."""
