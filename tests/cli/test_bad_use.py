"""Bad use: exit code 2, one clear line on standard error, nothing on standard output, nothing written."""

from __future__ import annotations

import os

import pytest

import graphc as gx
from graphc.cli import main
from tests.cli.support import run, write_net

FILES = {
    "net.py": None,
    "broken.py": "x = 1\ny = (\n",
    "fails.py": "import graphc\n\n1 / 0\n",
    "leaves.py": "import sys\nsys.exit(3)\n",
    "needs.py": "import nothing_of_this_name\n",
    "shapes.py": 'import graphc as gx\nx = gx.input("x", ("n", 3))\ny = x @ gx.param("w", (4, 1))\n',
    "empty.py": "",
    "two.py": "import graphc as gx\nx = gx.input('x', (3,))\nmine = gx.Model(x)\nmodel = 3\n",
    "lossless.py": "import graphc as gx\nx = gx.input('x', ('n', 3))\nmodel = gx.Model(gx.tanh(x))\n",
    "bad.gx": "not a model",
    "words.csv": "a,b,y\n1,2,zero\n3,x,one\n",
    "labels.csv": "a,b,y\n1,2,0\n3,4,7\n5,6,1\n7,8,2\n",
    "wide.csv": "a,b,c,y\n1,2,3,0\n3,4,5,1\n5,6,7,2\n7,8,9,1\n",
}

CASES = {
    "no command": ("", "the following arguments are required: COMMAND; see graphc --help"),
    "unknown command": ("paint net.py", "argument COMMAND: invalid choice: 'paint'"),
    "unknown option": ("show net.py --colour", "unrecognized arguments: --colour; see graphc --help"),
    "shortened option": ("train net.py --data spirals --epoch 3", "unrecognized arguments: --epoch 3"),
    "no model": ("show", "show: the following arguments are required: MODEL; see graphc show --help"),
    "no file": ("show none.py", "there is no file none.py; name a model as FILE.py[:NAME] or FILE.gx"),
    "a folder": ("show folder.py", "there is no file folder.py"),
    "no saved file": ("show none.gx", "there is no file none.gx"),
    "no model file": ("show words.csv", "'words.csv' does not name a model; name a model as FILE.py[:NAME]"),
    "bad name": ("show net.py:1x", "'1x' is not the name of a variable; name a model as net.py:NAME"),
    "empty name": ("show net.py:", "'' is not the name of a variable"),
    "missing name": ("show net.py:nett", "net.py has no variable 'nett'; try net.py:model"),
    "nothing in it": (
        "show empty.py",
        "empty.py has no variable 'model'; write model = gx.Model(outputs, loss) in it",
    ),
    "not a model": ("show net.py:z", "z in net.py is not a gx.Model but a Node; try net.py:model"),
    "other model": ("show two.py", "model in two.py is not a gx.Model but an int; try two.py:mine"),
    "syntax": (
        "show broken.py",
        "broken.py:2: SyntaxError: '(' was never closed; --debug shows the traceback",
    ),
    "exception": ("show fails.py", "fails.py:3: ZeroDivisionError: division by zero; --debug shows"),
    "exit": ("show leaves.py", "leaves.py:2: the file ended the program instead of declaring a model"),
    "import": ("show needs.py", "needs.py:1: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
    "graphc error": ("show shapes.py", 'at shapes.py:3: y = x @ gx.param("w", (4, 1))'),
    "damaged": ("show bad.gx", "bad.gx is not a saved model"),
    "no data": ("train net.py", "train: the following arguments are required: --data"),
    "data name": ("train net.py --data digit", "there is no data set 'digit'; did you mean digits?"),
    "data kind": ("train net.py --data x.txt", "there is no data set 'x.txt'; use digits, diabetes"),
    "data file": ("train net.py --data none.csv", "there is no such file; given none.csv"),
    "bad cell": ("train net.py --data words.csv", "words.csv line 3, column b: 'x' is no finite number"),
    "label": (
        "train net.py --data labels.csv --test 0",
        "t holds a label out of range; given 7 at position 1",
    ),
    "columns": ("train net.py --data wide.csv", "axis 1 of x has size 3, but 2 was declared"),
    "target": ("train net.py --data labels.csv --target z", "labels.csv has no column z"),
    "target of a set": (
        "train net.py --data moons --target y",
        "--target is for files; moons has one target",
    ),
    "no loss": ("train lossless.py --data moons", "data from the command line are one x and one y"),
    "epochs": ("train net.py --data moons --epochs 0", "'0' is not a whole number of at least 1"),
    "half an epoch": ("train net.py --data moons --epochs 1.5", "'1.5' is not a whole number of at least 1"),
    "batch": ("train net.py --data moons --batch-size -4", "'-4' is not a whole number of at least 1"),
    "huge batch": ("train net.py --data moons --batch-size 99999999999", "is not a whole number"),
    "rate": ("train net.py --data moons --lr fast", "'fast' is not a number above 0"),
    "rate nan": ("train net.py --data moons --lr nan", "'nan' is not a number above 0"),
    "rate below 0": ("train net.py --data moons --lr=-1", "'-1' is not a number above 0"),
    "seed": ("train net.py --data moons --seed one", "'one' is not a whole number of at least 0"),
    "share": ("train net.py --data moons --test 1", "'1' is not a share from 0 up to 1"),
    "tiny share": ("train net.py --data moons --test 0.0001", "test"),
    "optimizer": ("train net.py --data moons --optimizer adm", "--optimizer: invalid choice: 'adm'"),
    "save where": (
        "train net.py --data moons --save no/net.gx",
        "--save no/net.gx: there is no folder no; mkdir -p no",
    ),
    "save as": ("train net.py --data moons --save net.npz", "--save net.npz: the file must end in .gx"),
    "save on a folder": ("train net.py --data moons --save folder.gx", "there is a folder of this name"),
    "plot as": ("train net.py --data moons --plot net.gif", "the file must end in .png or .svg or .pdf"),
    "patience alone": (
        "train net.py --data moons --patience 3",
        "--patience watches rows that are held out of training; add --validation 0.1",
    ),
    "stratify alone": ("train net.py --data moons --stratify", "--stratify is for --validation"),
    "resume alone": ("train net.py --data moons --resume", "--resume goes on from the file of --checkpoint"),
    "open alone": ("train net.py --data moons --open", "--open shows the page of --view; add --view"),
    "view port": ("train net.py --data moons --view 65536", "'65536' is not a port from 0 to 65535"),
    "validation": (
        "train net.py --data moons --validation 0.0001",
        "leaves nothing to validate on; another share",
    ),
    "checkpoint as": (
        "train net.py --data moons --checkpoint net.npz",
        "--checkpoint net.npz: the file must end in .gx",
    ),
    "log as": ("train net.py --data moons --log log.txt", "the file must end in .csv or .jsonl"),
    "log where": ("train net.py --data moons --log no/log.csv", "--log no/log.csv: there is no folder no"),
    "resume from a damaged file": (
        "train net.py --data moons --checkpoint bad.gx --resume",
        "bad.gx is not a saved model",
    ),
    "draw as": ("draw net.py -o net.jpg", "--out net.jpg: the file must end in .svg or .png"),
    "draw where": ("draw net.py -o no/net.svg", "--out no/net.svg: there is no folder no"),
    "level": ("draw net.py --level all", "argument --level: invalid choice: 'all'"),
    "what": ("show net.py --what code", "argument --what: invalid choice: 'code'"),
    "parameter": (
        "explain net.py hidden.w",
        "there is no trained parameter named 'hidden.w'; did you mean 'hidden.W'?",
    ),
    "nothing to explain": (
        "explain lossless.py",
        "this model has no loss to explain; gx.Model(outputs, loss)",
    ),
    "derive as": ("derive net.py -o net.pdf", "--out net.pdf: the file must end in .md or .tex or .html"),
    "derive what": (
        "derive net.py hidden.w",
        "there is no parameter named 'hidden.w'; did you mean 'hidden.W'?",
    ),
    "nothing to derive": (
        "derive lossless.py",
        "a derivation needs a loss; given Model; pass gx.Model(outputs, loss)",
    ),
    "export where": ("export net.py", "export: the following arguments are required: -o/--out"),
    "export as": ("export net.py -o net.txt", "--out net.txt: the file must end in .py"),
    "export target": ("export net.py -o n.py --target y", "--target says what to predict in --data"),
    "nothing to check": ("check lossless.py", "lossless.py has no loss to differentiate"),
    "elements": ("check net.py --elements 0", "'0' is not a whole number of at least 1"),
    "demo where": ("demo --out words.csv", "--out words.csv: the folder cannot be made"),
    "demo inside a file": ("demo --out words.csv/x", "--out words.csv/x: the folder cannot be made"),
    "extra words": ("demo here", "unrecognized arguments: here"),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    write_net(tmp_path)
    for name, text in FILES.items():
        if text is not None:
            (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "folder.gx").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES)
def test_bad_use(folder, capsys, case):
    words, text = CASES[case]
    before = {path.name for path in folder.iterdir()}
    code, out, err = run(capsys, *words.split())
    assert (code, out) == (2, ""), err
    assert err.startswith("graphc: error: ")
    assert text in err
    assert err.count("\n") == 1, err
    assert "Traceback" not in err
    assert {path.name for path in folder.iterdir()} - {"__pycache__"} == before


def test_debug_shows_the_traceback(folder):
    with pytest.raises(gx.GraphcError) as caught:
        main(["show", "fails.py", "--debug"])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(gx.GraphcError):
        main(["--debug", "show", "none.py"])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(folder, capsys):
    locked = folder / "locked"
    locked.mkdir(mode=0o500)
    code, _, err = run(capsys, "train", "net.py", "--data", "moons", "--save", "locked/net.gx")
    assert code == 2
    assert "the folder locked cannot be written" in err


def test_a_loss_that_blows_up_is_one_line_and_nothing_is_saved(folder, capsys):
    rows = "\n".join(f"{i},{i},{i}.5" for i in range(40))
    (folder / "slope.csv").write_text(f"a,b,y\n{rows}\n", encoding="utf-8")
    words = ("--optimizer", "sgd", "--lr", "1e6", "--epochs", 50, "--save", "net.gx")
    code, out, err = run(capsys, "train", "net.py:line", "--data", "slope.csv", *words)
    assert (code, out) == (2, ""), err
    last = err.splitlines()[-1]
    assert last.startswith("graphc: error: the loss became ")
    assert "lower the learning rate" in last
    assert not (folder / "net.gx").exists()


def test_a_mistake_of_ours_is_one_line_as_well(folder, capsys, monkeypatch):
    monkeypatch.setattr(gx.Model, "source", lambda *args: 1 / 0)
    code, _, err = run(capsys, "show", "net.py")
    assert code == 70
    assert (
        err
        == "graphc: error: a mistake in graphc itself: ZeroDivisionError: division by zero; --debug shows where\n"
    )
