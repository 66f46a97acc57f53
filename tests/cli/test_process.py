"""The command line as a process: help, streams, colours, Ctrl-C, a reader that leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

import graphc as gx
from graphc.cli.parser import parser
from tests.cli.support import run, write_net
from tests.support import REPO

COMMANDS = ("demo", "train", "draw", "show", "explain", "derive", "export", "check")


def graphc(*words, **options):
    command = [sys.executable, "-m", "graphc", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, **options)


def test_help_lists_every_command_and_teaches(capsys):
    code, out, err = run(capsys, "--help")
    assert (code, err) == (0, "")
    for command in COMMANDS:
        assert f"\n    {command} " in out
        assert f"graphc {command}" in out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example_that_parses(capsys, command):
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    examples = [line.strip() for line in out.splitlines() if line.startswith(f"  graphc {command}")]
    assert examples
    for example in examples:
        words = example.split("   ")[0].split(" && ")[0].partition(" > ")[0].split()[1:]
        assert parser().parse_args(words).command == command


def test_help_says_that_a_model_file_is_run(capsys):
    for command in COMMANDS[1:]:
        out = run(capsys, command, "--help")[1]
        assert "A .py file is your own program, and it is run" in out
        assert "nothing in it is ever run" in out


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"graphc {gx.__version__}\n", "")


def test_help_is_fast_because_it_loads_nothing():
    code = (
        "import sys\nfrom graphc.cli import main\nmain(['--help'])\n"
        "print([m for m in ('numpy', 'sympy', 'networkx', 'matplotlib', 'tqdm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_process_exits_with_the_code(tmp_path):
    done = graphc("show", "none.py", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr == "graphc: error: there is no file none.py; name a model as FILE.py[:NAME] or FILE.gx\n"
    )


def test_a_terminal_that_cannot_show_greek(tmp_path):
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = graphc("show", write_net(tmp_path), env=env)
    assert done.returncode == 0
    assert "def adam(" in done.stdout


def test_a_reader_that_leaves_early_is_no_error(tmp_path):
    command = f'"{sys.executable}" -m graphc show "{write_net(tmp_path)}" | head -1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.startswith('"""spiral_net')
    assert done.stderr == ""


def test_ctrl_c_while_training_keeps_what_was_learnt(tmp_path):
    net, saved = write_net(tmp_path), tmp_path / "net.gx"
    words = ["train", net, "--data", "spirals", "--epochs", "100000", "--save", str(saved)]
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW_LINES, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("epoch ")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "ended  interrupted" in out
    assert len(gx.load(saved).history) >= 1


_SLOW_LINES = """
import sys
from graphc.cli import console, main
plain = console._plain_lines
console._plain_lines = lambda epochs: plain(10)  # a line for each epoch, to know that training has begun
sys.exit(main(sys.argv[1:]))
"""


def test_ctrl_c_elsewhere(tmp_path, capsys):
    path = write_net(tmp_path, "stop.py", "raise KeyboardInterrupt\n")
    assert run(capsys, "show", path) == (130, "", "graphc: interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize("no_color", ["", "1"])
def test_a_terminal_gets_a_bar_and_colour_unless_no_color(tmp_path, no_color):
    import pty
    import termios

    main_end, end = pty.openpty()
    termios.tcsetwinsize(end, (40, 140))
    env = {**os.environ, "NO_COLOR": no_color, "TERM": "xterm"}
    words = [sys.executable, "-m", "graphc", "train", write_net(tmp_path), "--data", "moons", "--epochs", "3"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=end, env=env, check=False, timeout=100)
    bad = subprocess.run([*words[:3], "show", "none.py"], stderr=end, env=env, check=False, timeout=100)
    os.close(end)
    text = os.read(main_end, 1 << 16).decode()
    os.close(main_end)
    assert (done.returncode, bad.returncode) == (0, 2)
    assert "epoch 3/3 loss " in text
    assert " (val " in text
    assert ("\x1b[31m" in text) is (no_color == "")
    assert b"\x1b[" not in done.stdout


def test_the_console_script_is_this_one():
    from importlib.metadata import entry_points

    (script,) = [e for e in entry_points(group="console_scripts") if e.name == "graphc"]
    assert script.value == "graphc.cli:main"
    assert (REPO / "graphc" / "__main__.py").exists()
