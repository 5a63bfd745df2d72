"""A linear model on the frozen network."""
