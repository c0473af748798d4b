"""Charts as files, SVG or PNG, for papers, issues and READMEs; the only importer of matplotlib."""
