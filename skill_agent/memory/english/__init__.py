"""What English words and sentences tell: rules, without a store and without a model."""
