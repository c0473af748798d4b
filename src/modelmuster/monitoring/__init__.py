"""A run as others watch it: figures for Prometheus, and figures and spans for OpenTelemetry. Off unless asked for."""
