"""What must hold: one file per question."""
