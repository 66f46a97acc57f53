"""The reference of the site: the directive ``names`` writes what a module or a list of names has in its docstrings.

    ```{names} graphc.ops.leaves graphc.nn.layers
    ```

gives every public name that these modules define; ``*`` stands for the modules that no page of the folder names. A
public name that is on no page, or on two, fails the build.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective

import graphc
from docs.tools.docstrings import card_lines, docstring_lines, listed_parameters
from graphc.ir.op import Op

NAMED = re.compile(r"^```\{names\} (.+)$", re.MULTILINE)
PACKAGES = (*(f"graphc.{name}" for name in graphc._MODULES), "graphc.optim.schedules")
"""Whose public names are listed; `graphc` itself has a table of its own."""


def public_names() -> dict[str, str]:
    """Every public name, with its module in front, to the module that defines it."""
    names = {f"graphc.{name}": where for name, where in graphc._WHERE.items()}
    for package in PACKAGES:
        names |= {name: _home(name, package) for name in _listed(package)}
    return names


def _listed(package: str) -> list[str]:
    """The public names of a package, but for modules: those have pages of their own."""
    names = [f"{package}.{name}" for name in importlib.import_module(package).__all__]
    return [name for name in names if not inspect.ismodule(found(name))]


def _home(name: str, package: str) -> str:
    """The module below a package that defines a name; a table belongs to the package itself."""
    module = getattr(found(name), "__module__", None) or ""
    return module if module.startswith(f"{package}.") else package


def found(name: str) -> Any:
    """What a name stands for."""
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def unnamed_modules(folder: Path) -> list[str]:
    """Modules with public names that no page in a folder names."""
    text = "".join(page.read_text(encoding="utf-8") for page in folder.glob("*.md"))
    named = {module for line in NAMED.findall(text) for module in line.split()}
    return sorted(set(public_names().values()) - named)


class Names(SphinxDirective):
    """The names of some modules, with signature, docstring and example."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[Any]:
        """The nodes of the directive; called by Sphinx."""
        modules = self.arguments[0].split()
        if "*" in modules:
            modules += unnamed_modules(Path(self.env.doc2path(self.env.docname)).parent)
        names = [n for n, where in public_names().items() if where in modules]
        self.env.metadata[self.env.docname].setdefault("names", []).extend(names)
        text = "\n".join(line for name in names for line in entry(name))
        return self.parse_text_to_nodes(text)


def entry(name: str) -> Iterator[str]:
    """One public name as Markdown with the directives of Sphinx."""
    thing = found(name)
    top = f"graphc.{name.rpartition('.')[2]}"
    if inspect.isclass(thing) and name != top and top in public_names() and found(top) is thing:
        yield from described("class", name, [f"The same as {{py:class}}`{top}`."])
    elif isinstance(thing, Op):
        yield from described("function", f"{name}({listed_parameters(thing)})", card_lines(name, thing))
    elif inspect.isclass(thing):
        yield from described("class", f"{name}{signature(thing)}", class_lines(thing))
    elif callable(thing):
        yield from described("function", f"{name}{signature(thing)}", docstring_lines(thing))
    else:
        yield from described("data", name, value_lines(name, thing))


def described(kind: str, header: str, lines: list[str], fence: str = "``````") -> Iterator[str]:
    """One object of Sphinx's Python domain."""
    yield from (f"{fence}{{py:{kind}}} {header}", "", *lines, fence, "")


def signature(thing: Any) -> str:
    """The parameters with their defaults, without annotations: those are in the docstring in words."""
    try:
        given = inspect.signature(thing)
    except ValueError:
        return ""
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in given.parameters.values()]
    return str(given.replace(parameters=bare, return_annotation=inspect.Signature.empty))


def class_lines(thing: Any) -> list[str]:
    """A class: its docstring, then its public methods and properties."""
    lines = docstring_lines(thing)
    for name, member in inspect.getmembers(thing, lambda m: inspect.isfunction(m) or isinstance(m, property)):
        if name.startswith("_") or not inspect.getdoc(member):
            continue
        kind = "property" if isinstance(member, property) else "method"
        header = (
            name
            if kind == "property"
            else name + signature(member).replace("(self, ", "(").replace("(self)", "()")
        )
        lines += described(kind, header, docstring_lines(member), fence="`````")
    return lines


def value_lines(name: str, value: Any) -> list[str]:
    """A constant, or a table of functions by name."""
    if isinstance(value, float):
        return [f"{value!r}, as in NumPy."]
    if isinstance(value, Mapping):
        return ["A table from names to functions: " + ", ".join(f"`{key}`" for key in value) + "."]
    return [line for line in (inspect.getdoc(value) or "").split("\n\n")[:1] if line]


def check_all_are_there(app: Any, env: Any) -> None:
    """Every public name is on one page."""
    on_pages = [name for data in env.metadata.values() for name in data.get("names", ())]
    missing = sorted(set(public_names()) - set(on_pages))
    twice = sorted({name for name in on_pages if on_pages.count(name) > 1})
    if missing or twice:
        raise ExtensionError(f"the reference lacks {missing} and has {twice} twice")


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("names", Names)
    app.connect("env-check-consistency", check_all_are_there)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
