"""Numbered SQL files that make the schema, applied in order; one that was released is never edited."""
