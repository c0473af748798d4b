"""The pages as a Dash application. It opens published snapshots, writes nothing, and starts no run."""
