"""Promises about the project as a whole: which way imports point, what loads when, what is told."""

import ast
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("sql", "catalog", "engagement", "reports", "jobs")  # from the ground up
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXIT_CODES = (0, 1, 2, 3, 75)

# Slow to load, and needed by none of the nightly runs.
HEAVY = ("tensorflow", "keras", "pandas", "sklearn", "matplotlib", "seaborn", "scipy")


def modules() -> list[Path]:
    """Every Python file of the project's packages."""
    return sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def imported(source: str) -> Iterator[str]:
    """What a module imports by full name, wherever in it; relative imports stay on its floor."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def upward(source: str, package: str) -> list[str]:
    """What a module imports from a floor above its own."""
    above = FLOORS[FLOORS.index(package.split(".", maxsplit=1)[0]) + 1 :]
    return [name for name in imported(source) if name.split(".")[0] in above]


def package_of(path: Path) -> str:
    """The dotted package that a module lies in."""
    return ".".join(path.relative_to(ROOT).parent.parts)


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_point_down(path):
    """A module imports only from its own floor and those below it."""
    assert upward(path.read_text(encoding="utf-8"), package_of(path)) == []


@pytest.mark.parametrize(
    ("source", "package"),
    [
        ("import jobs.cli", "reports"),
        ("from reports.pages import run_page", "catalog.images"),
        ("def late():\n    from catalog import tagger", "sql"),
        ("import os, reports.pages as pages", "catalog.images"),
    ],
)
def test_an_import_that_points_up_is_seen(source, package):
    """Positive control: the check above finds imports of every form, late ones too."""
    assert upward(source, package) != []


def test_package_inits_import_nothing():
    """Loading a package costs nothing: its __init__ has no more than a docstring."""
    for path in modules():
        if path.name == "__init__.py":
            body = ast.parse(path.read_text(encoding="utf-8")).body
            assert all(isinstance(node, ast.Expr) for node in body), path


def test_packages_are_listed():
    """pyproject.toml names every package folder and every folder of their data, and no other."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    told = settings["tool"]["setuptools"]
    folders = {package_of(path) for path in modules() if path.name == "__init__.py"}
    assert set(told["packages"]) == folders | told["package-data"].keys()
    assert {package_of(path) for path in modules()} == folders


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running `code`."""
    tell = "; import json, sys; print(json.dumps(sorted({n.split('.')[0] for n in sys.modules})))"
    run = subprocess.run(
        [sys.executable, "-c", code + tell], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", ["jobs.cli", "jobs.tag", "jobs.check", "catalog.models.runtime"])
def test_nightly_modules_load_nothing_heavy(module):
    """The command, the tag job and the inference runtime load neither TensorFlow nor pandas."""
    assert loaded_by(f"import {module}") & set(HEAVY) == set()


def test_help_loads_nothing_heavy():
    """`catalog --help` answers without the libraries of training, downloads and reports."""
    code = "from jobs.cli import cli; cli(['--help'], standalone_mode=False)"
    assert loaded_by(code) & {*HEAVY, "requests", "PIL", "rich", "jinja2"} == set()


def test_a_heavy_import_is_seen():
    """Positive control: what the tests above look for is found where it is loaded."""
    assert "sklearn" in loaded_by("import sklearn")


def commands(group: click.Group, names: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command of the program, such as "train tagger"."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))
        else:
            yield " ".join((*names, name))


def program() -> click.Group:
    """The `catalog` command with all it holds."""
    from jobs.cli import cli  # noqa: PLC0415 - so that a fault in it fails only these tests

    return cli


def test_every_command_is_in_the_readme():
    """A command that the README does not name is one that nobody finds."""
    found = list(commands(program()))
    assert "tag" in found
    assert [name for name in found if f"catalog {name}" not in README] == []


def test_every_flag_is_in_the_readme():
    """So are the flags of each command."""
    pending: list[click.Command] = [program()]
    flags = set()
    while pending:
        command = pending.pop()
        pending += command.commands.values() if isinstance(command, click.Group) else []
        flags |= {flag for parameter in command.params for flag in parameter.opts if "--" in flag}
    assert {flag for flag in flags if f"`{flag}" not in README} == set()


@pytest.mark.parametrize("code", EXIT_CODES)
def test_every_exit_code_is_in_the_readme(code):
    """Cron and its owner can tell the outcomes apart."""
    assert f"| {code} |" in README


def test_every_view_is_in_the_readme():
    """The README has a line for each view that analysts can query."""
    views = [path.stem for path in (ROOT / "sql" / "views").glob("*.sql")]
    assert views
    assert [view for view in views if f"`{view}`" not in README] == []


def test_real_data_never_travels():
    """No module of the project needs the data that lies beside it."""
    for path in modules():
        assert "shared/data" not in path.read_text(encoding="utf-8"), path
