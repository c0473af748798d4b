"""Reports about one finished run: a self-contained HTML file, a Markdown summary and a JSON document."""
