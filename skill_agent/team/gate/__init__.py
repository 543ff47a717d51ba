"""Who answers a message: how well each agent fits, who has the last word, what was decided."""
