"""What changed: one run against another or against a kept baseline, and whether that may pass. Below views."""
