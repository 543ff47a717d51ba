"""Who answers: signals of every agent, trust, the choice among them."""
