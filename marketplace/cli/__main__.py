"""`python -m marketplace.cli`, which is how the supervisor starts our own programs."""

from marketplace.cli.frame import main

main()
