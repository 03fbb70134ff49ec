"""WSGI entry (`app:app`); run as a program, it starts the embedded stack."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  The sentence is for those who try an older one.
    sys.exit("The marketplace needs Python 3.11 or newer.")

if __name__ == "__main__":
    from marketplace.cli import main

    main(["up", "--demo", *sys.argv[1:]])
else:
    from marketplace.cli.wsgi import application

    app = application()
