"""``graphc demo``: real digits, a network in thirteen lines, and everything that graphc makes of it."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

from graphc.cli.console import heading, paint, progress, table
from graphc.cli.files import folder, has_matplotlib
from graphc.cli.inspect import written_path
from graphc.cli.models import run_file
from graphc.cli.shown import explained, layers, listing
from graphc.errors import MissingDependency

EPOCHS = 40
PARAM = "A2"
_INTERRUPTED = 130


def run(options: Namespace) -> int:
    """Train, write the files, print the derivation, the listing and where the files are."""
    from graphc import datasets, optim

    out = folder(options.out, "--out")
    model, declared = digits_model()
    train, test = datasets.digits().split(test=0.25, seed=0)
    print(f"{train!r}\n{len(test)} more to test on\n\n{layers(model.summary())}\n", flush=True)
    history = model.fit(
        train.x,
        train.y,
        optimizer=optim.adam(1e-3),
        epochs=EPOCHS,
        batch_size=64,
        validation_data=test,
        seed=0,
        **progress(EPOCHS),
    )
    if history.stopped == "interrupted":
        print("graphc: interrupted; nothing was written", file=sys.stderr)
        return _INTERRUPTED
    _report(model, declared, write_files(model, test, out), model.evaluate(test))
    return 0


def digits_model() -> tuple[Any, Path]:
    """The network of ``graphc/examples/digits.py``, declared anew, and that file."""
    import graphc

    file = Path(graphc.__file__).parent / "examples" / "digits.py"
    return run_file(file).model, file


def write_files(model: Any, test: Any, out: Path) -> list[tuple[str, str]]:
    """The picture, the program with its weights, and the curves; rows of what and where."""
    drawn = written_path(model.draw(out / "backprop.svg"), out / "backprop.svg")
    module = model.export(out / "digits_mlp.py", data=test)
    rows = [
        ("forward and backward", drawn),
        ("the program, NumPy alone", str(module)),
        ("weights and test data", str(module.with_suffix(".npz"))),
    ]
    return [*rows, _curves(model, out)]


def _curves(model: Any, out: Path) -> tuple[str, str]:
    missing = MissingDependency("plots need matplotlib", fix='python -m pip install "graphc[plot]"')
    if not has_matplotlib():
        return "training curves", f"left out: {missing.what} ({missing.fix})"
    return "training curves", str(model.history.save_plot(out / "history.png"))


def _report(model: Any, declared: Path, files: list[tuple[str, str]], found: dict[str, float]) -> None:
    heading(f"How the loss reaches {PARAM}")
    print(explained(model.explain(PARAM)))
    heading("The program that trained it")
    print(listing(model.source()))
    heading("Files")
    print(table([("the declaration", str(declared)), *files]))
    heading("On the test data")
    print(table([(name, repr(value)) for name, value in found.items()]))
    module = dict(files)["the program, NumPy alone"]
    print(f"\nThe same numbers from NumPy alone: {paint(f'python -I {module}', 'bold')}")
