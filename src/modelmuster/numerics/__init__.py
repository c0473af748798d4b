"""The float64 reference, the rounding that a dtype alone causes, and the one rule that compares a runtime with them."""
