"""What becomes of answers, warnings and errors."""

from __future__ import annotations

import subprocess
import sys
import warnings

import pytest

import sktspulse
from sktspulse.cli import info

COMMANDS = ("info", "impute", "detect", "search", "embed", "pretrain", "demo", "report", "export")


@pytest.fixture
def failing(run, monkeypatch):
    """Run ``info`` when it does something else."""

    def fail(action, *options):
        monkeypatch.setattr(info, "_describe_installation", action)
        return run("info", *options)

    return fail


def throw(error):
    raise error


def test_without_a_command_the_help_is_printed(run):
    answer = run()
    assert answer.code == 2
    assert answer.out == ""
    assert "impute" in answer.err


def test_version(run, capsys):
    with pytest.raises(SystemExit) as stop:
        run("--version")
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"sktspulse {sktspulse.__version__}\n"


@pytest.mark.parametrize("command", [*COMMANDS, "classify", "classify train", "classify predict"])
def test_every_command_has_help(run, capsys, command):
    with pytest.raises(SystemExit) as stop:
        run(*command.split(), "--help")
    assert stop.value.code == 0
    assert f"sktspulse {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["paint"], ["impute", "a.csv"], ["search", "a.csv", "-n", "0", "--like", "b"]]
)
def test_wrong_usage_is_2(run, arguments):
    with pytest.raises(SystemExit) as stop:
        run(*arguments)
    assert stop.value.code == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("X is\n  odd."), "X is odd."),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), "a.csv: No such file"),
        (MemoryError(), "There is not enough memory."),
        (KeyError("a"), "KeyError: 'a' Run again with --debug"),
    ],
)
def test_an_error_is_one_line(failing, error, said):
    answer = failing(lambda: throw(error))
    assert answer.code == 1
    assert answer.out == ""
    assert answer.err.startswith(f"sktspulse: error: {said}")
    assert answer.err.count("\n") == 1


def test_an_interruption_has_the_code_of_shells(failing):
    assert failing(lambda: throw(KeyboardInterrupt())).code == 130


def test_debug_shows_where_an_error_happened(failing):
    with pytest.raises(ValueError, match="odd"):
        failing(lambda: throw(ValueError("odd")), "--debug")


def test_warnings_are_one_line_each_and_in_the_json(failing):
    def act():
        for text in ("The series are odd,\n as 1 is.", "The series are odd,\n as 1 is.", "Late."):
            warnings.warn(text, UserWarning, stacklevel=1)
        warnings.warn("Old.", DeprecationWarning, stacklevel=1)
        return "done", {"n": 1}

    answer = failing(act, "--json")
    assert answer.err == (
        "sktspulse: warning: The series are odd, as 1 is.\nsktspulse: warning: Late.\n"
    )
    assert answer.facts == {"n": 1, "warnings": ["The series are odd, as 1 is.", "Late."]}


def test_the_module_is_the_command():
    command = [sys.executable, "-m", "sktspulse", "impute", "absent.csv", "-o", "out.csv"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("sktspulse: error: absent.csv: No such file")


def test_help_loads_no_network():
    code = "import sys, sktspulse.cli; print({'torch', 'pandas', 'sklearn'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"
