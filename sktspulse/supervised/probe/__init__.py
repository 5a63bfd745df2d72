"""A linear head on the frozen network."""
