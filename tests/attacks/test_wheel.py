"""The wheel: built, installed into a fresh environment, and run there."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WANTED = ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in", "real_cli", "man")


def run(*words, **options):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A fresh environment with the wheel in it; what it depends on is lent by the environment of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in WANTED:  # a copy: building writes into the folder
        if (ROOT / name).exists():
            run("cp", "-r", ROOT / name, source / name)
    run("find", source, "-name", "__pycache__", "-prune", "-exec", "rm", "-r", "{}", "+")
    pytest.importorskip("build")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source)
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
