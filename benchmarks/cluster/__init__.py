"""A run on several machines: what it costs, and what faults cost it. The machines are network namespaces."""
