"""`python -m modelmuster`: the command `muster`, for where it is not on the path."""

from modelmuster.cli import main

main()
