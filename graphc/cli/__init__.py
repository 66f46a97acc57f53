"""The command line: ``graphc demo``, ``train``, ``draw``, ``show``, ``explain``, ``derive``, ``export`` ..."""

from graphc.cli.entry import main

__all__ = ["main"]
