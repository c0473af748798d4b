"""Pure functions from an open store to frozen dataclasses: the only thing that commands, reports and dashboards read.

Each takes a `store.Reader`, runs one or two queries and returns plain data; every count starts from the plan, so that
nothing planned can vanish, and every rate stands beside its counts.
"""
