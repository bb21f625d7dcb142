"""Results: computed in blocks, kept in parts, known by the code that made them."""
