"""Code: names, statements, functions, modules. One file per target."""
