"""`python -m tiphys.cli`: the command, where it is not installed."""

from tiphys.cli.main import main

if __name__ == "__main__":
    main()
