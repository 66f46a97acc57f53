"""The words of the command line, with help that teaches: each command has an example that works as it stands."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any, NoReturn

from graphc.cli.console import told
from graphc.errors import UsageError
from graphc.runtime.tables import width

DATA_NAMES = ("digits", "diabetes", "lines", "moons", "spirals")
OPTIMIZER_NAMES = (
    "adabelief",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "asgd",
    "gd",
    "lamb",
    "lion",
    "momentum",
    "nadam",
    "nesterov",
    "radam",
    "rmsprop",
    "rprop",
    "sgd",
    "sign_sgd",
    "yogi",
)
LEVEL_NAMES = ("exact", "default", "fast")
DRAW_LEVELS = ("model", "graph", "lowered", "plan")

_MODEL_HELP = "FILE.py[:NAME] (NAME is a variable of the file, by default `model`), or a saved .gx file"

_MODEL_NOTE = """\
how a model is named:
  net.py          the variable `model` of your file net.py
  net.py:small    its variable `small`
  net.gx          a model that `model.save` or `graphc train --save` wrote

A .py file is your own program, and it is run: as a module named after the file (so what stands under
`if __name__ == "__main__":` does not run), with its folder on sys.path. What it prints goes to standard error.
A .gx file holds text and numbers; nothing in it is ever run.
"""

_OVERVIEW = """\
examples:
  graphc demo                                   train on real digits in seconds; leaves files to look at
  graphc train net.py --data digits --save net.gx
  graphc draw net.gx -o net.svg                 forward and backward pass in one picture
  graphc view net.gx -o net.html                figure, equations and program, linked, in one page
  graphc explain net.gx hidden1.W               the chain rule, step by step, to one parameter
  graphc derive net.py -o net.html              the same as a page of numbered equations
  graphc show net.gx                            the NumPy program that trains it
  graphc export net.gx -o net_numpy.py          the same program as a file that needs NumPy alone
  graphc check net.py                           its gradients against central differences
  graphc opt net.py --print-after-each          what each pass of the compiler does to its graph
  graphc diff net.py deeper.py                  what lies between two models or texts of graphs
  graphc bench net.py --rows 128                a step's time, and its distance to the machine's limit

Exit codes: 0 it worked; 1 a check found something wrong; 2 bad use or bad data, with one line that says what to do;
130 after Ctrl-C. Results go to standard output, progress to standard error. NO_COLOR=1 turns colours off.
`graphc COMMAND --help` explains a command.
"""


class _Parser(argparse.ArgumentParser):
    """Complains in one line, through the same door as every other error."""

    def error(self, message: str) -> NoReturn:
        command = self.prog.partition(" ")[2]
        raise UsageError(f"{command}: {message}" if command else message, fix=f"see {self.prog} --help")


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help whose texts fit the terminal; elsewhere they are as they stand here."""

    def _fill_text(self, text: str, width_: int, indent: str) -> str:
        room = width()
        return super()._fill_text(text, width_, indent) if room is None else told(text, room)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands; each sets ``run`` to ``module:function``."""
    top = _Parser(
        prog="graphc",
        description="Write the maths, read the backprop, run the NumPy.",
        epilog=_OVERVIEW,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version and end")
    _debug(top)
    commands = top.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    for add in (_demo, _train, _draw, _view, _show, _explain, _derive, _export, _check, _opt, _diff, _bench):
        add(commands)
    return top


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *rest: Any) -> None:
        import graphc

        print(f"graphc {graphc.__version__}")
        parser.exit()


def _debug(target: argparse.ArgumentParser) -> None:
    text = "on an error, show the traceback instead of one line"
    target.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=text)


def _optimizer(text: str) -> dict[str, Any]:
    """One of many names: they stand in the help, not in the line of usage, which would not fit."""
    return {
        "choices": OPTIMIZER_NAMES,
        "metavar": "NAME",
        "help": f"{text}; one of {', '.join(OPTIMIZER_NAMES)}",
    }


def _command(commands: Any, name: str, run: str, summary: str, epilog: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=_Help,
        allow_abbrev=False,
    )
    made.set_defaults(run=f"graphc.cli.{run}")
    _debug(made)
    return made


# -- commands -----------------------------------------------------------------------------------------------------


def _demo(commands: Any) -> None:
    made = _command(
        commands,
        "demo",
        "demo:run",
        "train a network on 1,797 real digits, and leave its picture, its program and its weights",
        "example:\n  graphc demo --out digits\n  python -I digits/digits_mlp.py      "
        "the exported program: NumPy alone, the same loss to the last bit\n\n"
        "The network is declared in graphc/examples/digits.py, inside the package.\n",
    )
    made.add_argument(
        "--out", metavar="DIR", default="graphc_demo", help="where files go (default: ./graphc_demo)"
    )


def _train(commands: Any) -> None:
    made = _command(
        commands,
        "train",
        "train:run",
        "train a model on data, and say how well it does on data it has not seen",
        "examples:\n  graphc train net.py --data digits --epochs 40 --batch-size 64 --save net.gx --plot history.png\n"
        "  graphc train net.py:line --data houses.csv --target price --optimizer sgd --lr 0.1 --test 0.2\n"
        "  graphc train net.py --data digits --epochs 99 --validation 0.1 --patience 9 --checkpoint run.gx --resume\n\n"
        "data:\n  digits, diabetes         real data inside the package\n"
        "  spirals, moons, lines    made from a seed\n"
        "  FILE.npz                 arrays x and y, one row of y for each row of x\n"
        "  FILE.csv                 a line of column names, then numbers; the target is the last column, or --target\n"
        "A target of one number per row also fits an input of shape (batch, 1), and whole numbers fit a float\n"
        "input.\n\n"
        f"{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    made.add_argument(
        "--data", required=True, metavar="DATA", help=f"{', '.join(DATA_NAMES)}, FILE.npz or FILE.csv"
    )
    made.add_argument("--target", metavar="COL", help="the column of a .csv (or array of a .npz) to predict")
    made.add_argument(
        "--test", type=_share, default=0.25, metavar="SHARE", help="share of rows held out (default: 0.25)"
    )
    made.add_argument(
        "--epochs", type=_count(1), default=20, metavar="N", help="times through the data (default: 20)"
    )
    made.add_argument(
        "--batch-size",
        type=_count(1),
        metavar="N",
        help="rows per step (default: 32, or all where there are fewer)",
    )
    made.add_argument("--optimizer", **_optimizer("default: the model's own, else adam"))
    made.add_argument("--lr", type=_rate, metavar="RATE", help="learning rate (default: the optimizer's)")
    made.add_argument(
        "--numba",
        action="store_true",
        help="compile what a step does element by element (needs graphc[numba])",
    )
    made.add_argument(
        "--seed", type=_count(0), default=0, metavar="N", help="split, start values, order (default: 0)"
    )
    made.add_argument(
        "--validation",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="share of the training rows to watch instead of the test rows, which are then used at the end alone",
    )
    made.add_argument("--stratify", action="store_true", help="each class gives that share of its rows")
    made.add_argument(
        "--patience",
        type=_count(1),
        metavar="N",
        help="stop when the loss on the validation rows has not become better for N epochs; keep the best weights",
    )
    made.add_argument(
        "--checkpoint",
        metavar="FILE.gx",
        help="write the state of training after each epoch, and after Ctrl-C",
    )
    made.add_argument(
        "--resume", action="store_true", help="go on from the file of --checkpoint, where there is one"
    )
    made.add_argument("--log", metavar="FILE", help="write a line per epoch (.csv, or .jsonl)")
    made.add_argument(
        "--view",
        type=_port,
        nargs="?",
        const=0,
        metavar="PORT",
        help="a page on 127.0.0.1 that shows the training while it goes on (default: any port that is free)",
    )
    made.add_argument("--open", action="store_true", help="show the page of --view in the browser at once")
    made.add_argument("--save", metavar="FILE.gx", help="keep the trained model")
    made.add_argument(
        "--plot", metavar="FILE", help="draw the training curves (.png, .svg or .pdf; needs matplotlib)"
    )


def _draw(commands: Any) -> None:
    made = _command(
        commands,
        "draw",
        "inspect:draw",
        "draw the forward and the backward pass of a model, paired in one figure",
        "examples:\n  graphc draw net.py -o backprop.svg\n  graphc draw net.gx --level model -o overview.png\n\n"
        "levels:\n  model    layers as single boxes\n  graph    every operation as you wrote it, with its gradient\n"
        "  lowered  operations as they are computed\n  plan     the same, in the order in which they run\n\n"
        "Pictures (.svg, .png, .pdf, .dot) are laid out by the extra `render`; without it an .html page is written.\n\n"
        f"{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    made.add_argument("-o", "--out", metavar="FILE", help="default: the model's name with .svg")
    made.add_argument("--level", choices=DRAW_LEVELS, help="default: graph, or model where that is too large")
    made.add_argument(
        "--highlight",
        metavar="PARAM",
        help="show how this parameter reaches the loss and its gradient comes back",
    )


def _view(commands: Any) -> None:
    made = _command(
        commands,
        "view",
        "inspect:view",
        "write one page with the figure, the derivation and the program of a model, linked in all directions",
        "examples:\n  graphc view net.py -o net.html\n  graphc view net.py --data digits -o net.html\n\n"
        "The page needs no network and no server: open it in a browser. Pointing at a box, an equation or a line\n"
        "lights up the other two; a slider goes through every use of the chain rule and every rewrite.\n"
        "With --data, 64 rows are computed, and each box shows its range, mean and histogram.\n\n"
        f"{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    made.add_argument("-o", "--out", metavar="FILE", help="default: the model's name with .html")
    made.add_argument("--data", metavar="DATA", help=f"{', '.join(DATA_NAMES)}, FILE.npz or FILE.csv")
    made.add_argument("--target", metavar="NAME", help="what to predict: the array or column of a file")


def _show(commands: Any) -> None:
    made = _command(
        commands,
        "show",
        "inspect:show",
        "print what a model is made into: its NumPy program, its plan or its graph as text",
        "examples:\n  graphc show net.py\n  graphc show net.gx --what ir > net.ir\n\n"
        "  listing  the NumPy program: predict, evaluate, forward, backward, train_step\n"
        "  plan     each value in the order in which it is computed, with its type and phase\n"
        "  ir       the declared graph as text; gx.parse reads it back\n\n"
        f"{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    made.add_argument("--what", choices=("listing", "plan", "ir"), default="listing", help="default: listing")
    made.add_argument("--optimizer", **_optimizer("whose train_step to list; default: the model's own"))


def _explain(commands: Any) -> None:
    made = _command(
        commands,
        "explain",
        "inspect:explain",
        "print the chain rule, step by step, from the loss to a parameter",
        f"examples:\n  graphc explain net.py hidden1.W\n  graphc explain net.gx\n\n{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    made.add_argument("param", metavar="PARAM", nargs="?", help="such as hidden1.W; default: all parameters")


def _derive(commands: Any) -> None:
    made = _command(
        commands,
        "derive",
        "inspect:derive",
        "write the derivation of the gradients: numbered equations from the loss to each parameter",
        "examples:\n  graphc derive net.py -o net.html\n  graphc derive net.py hidden1.W hidden1.b -o net.tex\n\n"
        "  .html  one page with MathML: no script, and nothing is fetched\n"
        "  .tex   a LaTeX file that needs amsmath\n  .md    Markdown with LaTeX between dollar signs; also what is "
        f"printed without -o\n\n{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    made.add_argument("params", metavar="PARAM", nargs="*", help="such as hidden1.W; default: all parameters")
    made.add_argument(
        "-o", "--out", metavar="FILE", help="a .md, .tex or .html file; default: print Markdown"
    )


def _export(commands: Any) -> None:
    made = _command(
        commands,
        "export",
        "inspect:export",
        "write a model as a Python file that needs NumPy alone",
        "examples:\n  graphc export net.gx -o net_numpy.py\n"
        "  graphc export net.gx -o net_numpy.py --data digits && python -I net_numpy.py\n\n"
        "Weights go into the file itself where they are few, else into a .npz of the same name beside it. A model\n"
        "that comes from a .py file has not been trained: it leaves with its starting values (seed 0).\n\n"
        f"{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    made.add_argument("-o", "--out", metavar="FILE.py", required=True, help="the file to write")
    made.add_argument("--optimizer", **_optimizer("whose train_step to write; default: the model's own"))
    made.add_argument(
        "--data", metavar="DATA", help="data to put beside it; running the file then prints its loss on it"
    )
    made.add_argument("--target", metavar="COL", help="the column of a .csv (or array of a .npz) to predict")


def _check(commands: Any) -> None:
    made = _command(
        commands,
        "check",
        "inspect:check",
        "compare the gradients of a model with central differences, in float64 on small random data",
        "examples:\n  graphc check net.py\n  graphc check net.gx --elements 200 --seed 3\n\n"
        "One line per parameter: how many elements were compared, and the largest difference. Exit code 1 if one is\n"
        f"wrong; then the operation that is to blame is named.\n\n{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", help=_MODEL_HELP)
    made.add_argument(
        "--rows", type=_count(1), default=5, metavar="N", help="rows of random data (default: 5)"
    )
    made.add_argument(
        "--elements", type=_count(1), default=32, metavar="N", help="per parameter (default: 32)"
    )
    made.add_argument(
        "--seed", type=_count(0), default=0, metavar="N", help="of data and sample (default: 0)"
    )


_GRAPH_HELP = "the text of a graph (as `graphc show --what ir` prints it; - for standard input), or a MODEL"

_GRAPH_NOTE = """\
The graph of a model is its loss with the gradients of its trained parameters; of a model without a loss, its outputs.
"""


def _opt(commands: Any) -> None:
    made = _command(
        commands,
        "opt",
        "passes:opt",
        "run passes of the compiler over a graph and print what comes out, as text that can go in again",
        "examples:\n  graphc opt net.py\n  graphc opt net.ir --passes clean,stabilise --print-after-each\n"
        "  graphc show net.gx --what ir | graphc opt - --level exact\n\n"
        "passes:\n  clean          constants, signs, units, shapes\n"
        "  stabilise      stable forms\n  save_cost      what only saves time\n"
        "  factor         common factors\n  share          x y and y x are computed once\n"
        "  write_plainly  stable forms that a known range makes needless\n"
        "  to_code        operations without code become their bodies\n"
        "  leave_loops    what need not be done at every step of a loop is done once\n"
        "  leave_early    what a loop need not wait for is computed before it\n"
        "  guard          forms that only the code needs\n"
        "  choose_forms   pointwise regions in the cheapest form that is no less accurate\n"
        "  use_buffers    fewer passes over arrays, where code writes into buffers\n"
        "  shorten        fewer calls, in a small step stored features x batch\n"
        "  to_derivable   operations without a derivative become their bodies\n"
        "  simplify       clean, stabilise, save_cost, factor, share\n"
        "  code           write_plainly, to_code, guard, clean, choose_forms, clean\n"
        "  buffers        use_buffers\n  layout         shorten\n"
        "  gradient       clean, stabilise, to_derivable, stabilise\n\n"
        f"{_GRAPH_NOTE}\n{_MODEL_NOTE}",
    )
    made.add_argument("file", metavar="FILE", help=_GRAPH_HELP)
    made.add_argument("--passes", metavar="A,B", default="simplify", help="in order (default: simplify)")
    made.add_argument("--level", choices=LEVEL_NAMES, default="default", help="which rewrites may happen")
    made.add_argument(
        "--mode", choices=("train", "eval"), default="train", help="which side of a choice (default: train)"
    )
    made.add_argument(
        "--print-after-each",
        action="store_true",
        help="print the graph after each pass that changed it, under the rules that fired",
    )


def _diff(commands: Any) -> None:
    made = _command(
        commands,
        "diff",
        "passes:diff",
        "print what lies between two graphs: nodes removed, added, and computed otherwise",
        "examples:\n  graphc diff net.py deeper.py\n  graphc opt net.py > after.ir && graphc diff net.py after.ir\n\n"
        "Leaves are the same where role, name and type are, other nodes where the same operation stands over the\n"
        "same operands. Exit code 0 if there is no difference, 1 if there is one.\n\n"
        f"{_GRAPH_NOTE}\n{_MODEL_NOTE}",
    )
    made.add_argument("before", metavar="A", help=_GRAPH_HELP)
    made.add_argument("after", metavar="B", help="likewise")


def _bench(commands: Any) -> None:
    made = _command(
        commands,
        "bench",
        "bench:bench",
        "time a step of training, and say how far that is from what this machine could do",
        "examples:\n  graphc bench net.py --rows 128\n  graphc bench net.gx --lines\n  graphc bench --calibrate\n\n"
        "The limit is the time of the step's operations at the rate of a large product of matrices, or that of\n"
        "reading its arguments and writing its results once, whichever is longer; both rates are measured on the\n"
        "spot. Use OMP_NUM_THREADS=1 for one core. --calibrate measures what each function of NumPy costs here and\n"
        "keeps the table in $GRAPHC_CACHE, or in ~/.cache/graphc.\n\n"
        f"{_MODEL_NOTE}",
    )
    made.add_argument("model", metavar="MODEL", nargs="?", help=_MODEL_HELP)
    made.add_argument(
        "--rows", type=_count(1), default=64, metavar="N", help="rows of random data in a batch (default: 64)"
    )
    made.add_argument("--optimizer", **_optimizer("default: the model's own, else adam"))
    made.add_argument(
        "--seconds", type=_rate, default=0.5, metavar="S", help="about how long to measure (default: 0.5)"
    )
    made.add_argument("--lines", action="store_true", help="also where the time goes, line by line")
    made.add_argument("--calibrate", action="store_true", help="measure this machine, and keep the table")


# -- numbers ------------------------------------------------------------------------------------------------------


def _count(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {least}")
        return int(text)

    return read


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 5 or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 0 to 65535")
    return int(text)


def _rate(text: str) -> float:
    value = _float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def _share(text: str) -> float:
    value = _float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 up to 1")
    return value


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
