"""What a model would need, from its config alone: shapes without memory, so that nothing is loaded or downloaded.

An estimate is never a measurement, and is told apart from one wherever both are shown.
"""
