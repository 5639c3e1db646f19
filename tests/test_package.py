"""The wheel as others get it: what it holds, and that it works where nothing else of ours is."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("catalog", "engagement", "jobs", "reports", "sql")
DATA = (".sql", ".md", ".j2", ".toml", ".html", ".css")
PRODUCTS = "id,image,title\n0001,a.jpg,first\n,b.jpg,nameless\n0001,a.jpg,renamed\n"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the project, so that no old build folder leaks in."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    done = subprocess.run([*build, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the programs of an empty environment that the wheel was installed into.

    Installing TensorFlow once more would take minutes, so a .pth file lends it the libraries of
    this environment. It does not lend the project itself: that is there as an editable install,
    whose own .pth is read only in its own environment.
    """
    folder = tmp_path_factory.mktemp("elsewhere") / "environment"
    venv.create(folder, symlinks=True)
    scripts = folder / "bin"
    pip = [sys.executable, "-m", "pip", "--python", scripts / "python"]
    install = [*pip, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(install, check=True, capture_output=True)
    (site,) = (folder / "lib").glob("python*/site-packages")
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return scripts


def run(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of the new environment, away from the project and its settings."""
    away = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "CATALOG", "COV"))}
    command = [str(program), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=away, timeout=120
    )


def test_wheel_holds_every_module_and_data_file(wheel):
    """Each module, query and template of the packages is in the wheel."""
    expected = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in (".py", *DATA)
    }
    assert any(name.endswith(".sql") for name in expected)
    assert any(name.endswith(".j2") for name in expected)
    held = set(zipfile.ZipFile(wheel).namelist())
    assert expected - held == set()


def test_wheel_holds_nothing_else(wheel):
    """Tests, stores and scratch files stay at home."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.startswith("vitrina-")} == set(PACKAGES)


def test_installed_modules_are_the_wheels(installed, tmp_path):
    """Every package comes from the new environment, not from the editable install."""
    code = f"import {', '.join(PACKAGES)}; print({', '.join(f'{p}.__file__' for p in PACKAGES)})"
    done = run(installed / "python", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    places = done.stdout.split()
    assert len(places) == len(PACKAGES)
    assert all(Path(place).is_relative_to(installed.parent) for place in places), places


def test_installed_help(installed, tmp_path):
    """`catalog --help` of the new environment names the main command."""
    done = run(installed / "catalog", "--help", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "tag" in done.stdout


def test_installed_check(installed, tmp_path):
    """`catalog check` of the new environment tells the refused rows, and writes nothing."""
    (tmp_path / "products.csv").write_text(PRODUCTS, encoding="utf-8")
    done = run(installed / "catalog", "check", "products.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "duplicate_id" in done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["products.csv"]


def test_installed_views_and_templates_are_found(installed, tmp_path):
    """What is not Python can be read from the installed packages."""
    code = (
        "from importlib.resources import files;"
        "print(*(f.name for f in files('sql').joinpath('views').iterdir()),"
        "*(f.name for f in files('reports').joinpath('templates').iterdir()))"
    )
    done = run(installed / "python", "-c", code, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    assert any(name.endswith(".sql") for name in names)
    assert any(name.endswith(".j2") for name in names)
