"""What models cost, and who may spend it: prices, budgets, models that are paid call by call."""
