"""`python -m cockpit` is the command line."""

from cockpit.cli import main

if __name__ == "__main__":
    main()
