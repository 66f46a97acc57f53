"""The model that a command names: a variable of the user's own Python file, or a saved file."""

from __future__ import annotations

import contextlib
import importlib.util
import linecache
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from graphc.errors import GraphcError, UsageError
from graphc.train.model import Model
from graphc.train.store import load

DEFAULT_NAME = "model"


def read_model(spec: str) -> Model:
    """The model that ``FILE.py[:NAME]`` or ``FILE.gx`` names.

    A ``.py`` file is run, as the user's own program; a ``.gx`` file never is.

    Raises:
        UsageError: no such file or name, a name that is no Model, or a file that fails.
        FileFormatError: a saved model that is damaged.
    """
    file, name = _split(spec)
    if not file.is_file():
        raise UsageError(f"there is no file {file}", fix="name a model as FILE.py[:NAME] or FILE.gx")
    if file.suffix == ".gx":
        saved: Model = load(file)
        return saved
    return _chosen(run_file(file), name, file)


def _split(spec: str) -> tuple[Path, str]:
    """The file and the name; a colon that belongs to a drive is not a separator."""
    head, colon, name = spec.rpartition(":")
    if colon and head.endswith(".py"):
        if not name.isidentifier():
            raise UsageError(f"{name!r} is not the name of a variable", fix=f"name a model as {head}:NAME")
        return Path(head), name
    if not spec.endswith((".py", ".gx")):
        raise UsageError(f"{spec!r} does not name a model", fix="name a model as FILE.py[:NAME] or FILE.gx")
    return Path(spec), DEFAULT_NAME


def _chosen(module: ModuleType, name: str, file: Path) -> Model:
    found = getattr(module, name, None)
    if isinstance(found, Model):
        return found
    models = [key for key, value in vars(module).items() if isinstance(value, Model)]
    fix = f"try {file}:{models[0]}" if models else "write model = gx.Model(outputs, loss) in it"
    if not hasattr(module, name):
        raise UsageError(f"{file} has no variable {name!r}", fix=fix)
    raise UsageError(f"{name} in {file} is not a gx.Model but {_article(type(found).__name__)}", fix=fix)


def _article(word: str) -> str:
    return f"{'an' if word[:1].lower() in 'aeiou' else 'a'} {word}"


def run_file(file: Path) -> ModuleType:
    """Run a user's file as a module named after it.

    Raises:
        UsageError: the file fails; the message names its line.
        GraphcError: graphc refused something in it, which says so itself.
    """
    linecache.checkcache(str(file.resolve()))  # user lines are quoted in errors and explanations
    spec = importlib.util.spec_from_file_location(_module_name(file), file.resolve())
    if spec is None or spec.loader is None:
        raise UsageError(f"{file} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    with _importing(module, file.resolve().parent), contextlib.redirect_stdout(sys.stderr):
        try:
            spec.loader.exec_module(module)
        except (GraphcError, KeyboardInterrupt):
            raise
        except BaseException as error:  # a user's file may raise anything, sys.exit() included
            raise UsageError(
                f"{_line_of(error, file)}: {_said(error)}", fix="--debug shows the traceback"
            ) from error
    return module


def _module_name(file: Path) -> str:
    """The file's own name, unless a module of this name is loaded already (a net named ``json.py``)."""
    name = "".join(c if c.isidentifier() or c.isdigit() else "_" for c in file.stem)
    return f"model_{name}" if name in sys.modules or not name.isidentifier() else name


@contextlib.contextmanager
def _importing(module: ModuleType, folder: Path) -> Iterator[None]:
    """As Python runs a script: its folder comes first on the path; both are put back afterwards."""
    before = list(sys.path)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path[:] = before
        del sys.modules[module.__name__]


def _line_of(error: BaseException, file: Path) -> str:
    if isinstance(error, SyntaxError) and error.lineno:
        return f"{Path(error.filename or file).name}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file.resolve())]
    return f"{file.name}:{frames[-1].lineno}" if frames else file.name


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "the file ended the program instead of declaring a model"
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def optimizer_of(model: Model, name: str | None, lr: float | None = None) -> Any:
    """The optimizer that the options ask for: by name, else the model's own, else adam."""
    from graphc.optim.registry import OPTIMIZERS

    own = model.optimizer
    if name is None and own is not None:
        settings = dict(own.settings) | ({"lr": lr} if lr is not None else {})
        return OPTIMIZERS[own.name](**settings)
    return OPTIMIZERS[name or "adam"](**({"lr": lr} if lr is not None else {}))
