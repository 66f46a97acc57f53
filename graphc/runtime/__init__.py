"""Running: loading generated source, the program object, the oracle, checks of arguments."""
