"""The command line of this package."""

from serving.cli import run

if __name__ == "__main__":
    run()
