"""Where it runs: one file or package per runtime."""
