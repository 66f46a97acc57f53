"""The command line: ``graphc demo``, ``train``, ``draw``, ``show``, ``explain``, ``export``, ``check``, ``opt`` ..."""

from graphc.cli.entry import main

__all__ = ["main"]
