"""The wheel and the source archive: built, checked as an index would, installed into a fresh environment, and run."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WANTED = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".ci", ".gitignore", "real_cli", "man", "tests")


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of a wheel and a source archive."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in WANTED:  # a copy: building writes into the folder
        if (ROOT / name).exists():
            run("cp", "-r", ROOT / name, source / name)
    run("find", source, "-name", "__pycache__", "-prune", "-exec", "rm", "-r", "{}", "+")
    pytest.importorskip("build")
    pytest.importorskip("hatchling")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source)
    return folder


@pytest.fixture(scope="module")
def installed(built):
    """A fresh environment with the wheel in it; what it depends on is lent by the environment of the tests."""
    folder = built
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    place = folder / "venv"
    venv.create(place, with_pip=False)
    run(*pip, "--python", place / "bin" / "python", "install", "--no-deps", "--no-index", wheel)
    (site,) = place.glob("lib/python*/site-packages")
    lent = {path for path in (sysconfig.get_path("purelib"), *sys.path) if path.endswith("site-packages")}
    # Behind the package itself; not the editable installs of the lender.
    (site / "lent.pth").write_text("".join(f"{path}\n" for path in sorted(lent)))
    return place


@pytest.mark.slow
def test_the_wheel_carries_everything_and_runs(installed, tmp_path):
    real = installed / "bin" / "real"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    where = run(installed / "bin" / "python", "-c", "import real_cli; print(real_cli.__file__)", cwd=tmp_path)
    assert where.startswith(str(installed))
    assert run(real, "--version", cwd=tmp_path, env=environment).startswith("real ")
    pages = {path.name for path in (installed / "share" / "man").rglob("*") if path.is_file()}
    assert pages == {path.name for path in (ROOT / "man").iterdir() if path.suffix in (".1", ".5", ".7")}
    assert all(path.parent.name == f"man{path.suffix[1]}" for path in (installed / "share" / "man").rglob("*.[157]"))
    assert run(real, "help", "pair", cwd=tmp_path, env=environment).startswith("REAL-PAIR(1)")
    if shutil.which("man"):
        path = f"{installed / 'bin'}:{environment['PATH']}"
        place = run("man", "-w", "real-pair", env=environment | {"PATH": path}).strip()
        assert place == str(installed / "share" / "man" / "man1" / "real-pair.1")
    recipes = run(real, "init", "--list", cwd=tmp_path, env=environment).splitlines()
    for name in ("demo", *(line.split()[0] for line in recipes)):
        words = [] if name == "demo" else ["--recipe", name]
        run(real, "init", name, *words, cwd=tmp_path, env=environment)
        assert (tmp_path / name / "Makefile").is_file()
    package = Path(where.strip()).parent
    carried = {path.relative_to(package) for path in package.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    wanted = (path.relative_to(ROOT / "real_cli") for path in (ROOT / "real_cli").rglob("*"))
    assert {path for path in wanted if (ROOT / "real_cli" / path).is_file() and path.suffix != ".pyc"} <= carried
    pairs = '{"prompt":"q","chosen":"a","rejected":"b","score_chosen":2,"score_rejected":1}\n' * 3
    done = subprocess.run(
        [real, "eval", "pairs", "--report", "r.html"], input=pairs, capture_output=True, text=True, cwd=tmp_path,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "<html" in (tmp_path / "r.html").read_text(encoding="utf-8")
    done = subprocess.run(
        [real, "relabel", "judge", "-m", "m", "--rubric", "nothing"], input=pairs, capture_output=True, text=True,
        cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert "ultrafeedback" in done.stderr


@pytest.mark.slow
def test_an_index_would_take_both_archives(built):
    pytest.importorskip("twine")
    archives = [*built.glob("*.whl"), *built.glob("*.tar.gz")]
    assert len(archives) == 2
    assert run(sys.executable, "-m", "twine", "check", "--strict", *archives).count("PASSED") == 2


@pytest.mark.slow
def test_the_text_that_an_index_shows_leads_nowhere_that_is_not_there(built):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())
    links = re.findall(r"\]\(([^)]+)\)", metadata.get_payload())
    assert len(links) >= 2
    assert [link for link in links if not link.startswith("https://")] == []
    assert "real-guide(7)" in metadata.get_payload()
    assert "](man/real-guide.7.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_source_archive_holds_what_tests_and_pages_are_made_of(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for top in ("tests", "man"):
        wanted = [file for file in (ROOT / top).rglob("*") if file.is_file() and "__pycache__" not in file.parts]
        assert len(wanted) > 30
        assert {str(file.relative_to(ROOT)) for file in wanted} - names == set()
    assert names >= {"LICENSE", "CHANGELOG.md", "README.md", "pyproject.toml"}
    assert not [name for name in names if name.endswith(".pyc")]


def test_the_versions_of_python_that_are_named_are_those_from_the_least_on():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [line.rpartition(" :: ")[2] for line in project["classifiers"] if re.search(r"Python :: 3\.\d+$", line)]
    assert named == [f"3.{minor}" for minor in range(11, 15)]
    assert project["requires-python"] == f">={named[0]}"
    classifiers = pytest.importorskip("trove_classifiers")
    assert set(project["classifiers"]) <= classifiers.classifiers
