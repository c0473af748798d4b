"""A toy runtime that multiplies by two, and checks that misbehave."""
