"""The scripts that make a shell ask `real` on Tab, and where each shell keeps them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import typer

from real_cli.cli.commands import WORDS
from real_cli.errors import RealError, UsageError, none_of
from real_cli.io.progress import say

VARIABLE = "_REAL_COMPLETE"
SCRIPTS = {
    "bash": """_real_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD _REAL_COMPLETE=complete_bash "$1") )
    if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
}
complete -o default -F _real_completion real""",
    "zsh": """#compdef real
_real_completion() {
  eval "$(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _REAL_COMPLETE=complete_zsh real)"
}
if [[ $funcstack[1] == _real ]]; then _real_completion "$@"; else compdef _real_completion real; fi""",
    "fish": """function _real_completion
    env _REAL_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=$argv[1] \\
        _TYPER_COMPLETE_ARGS=(commandline -cp | string collect) real
end
complete --command real --no-files --condition '_real_completion is-args' --arguments '(_real_completion get-args)'""",
}


class Home(NamedTuple):
    """Where a shell's script goes, and the lines that its start-up file needs.

    Attributes:
        script: The file of the script.
        startup: The file that the shell reads first; None where it finds the script by itself.
        line: What stands there.
    """

    script: Path
    startup: Path | None
    line: str


def _bash_home() -> Home:
    script = Path.home() / ".bash_completions" / "real.sh"
    return Home(script, Path.home() / ".bashrc", f"source '{script}'")


def _zsh_home() -> Home:
    folder = Path(os.environ.get("ZDOTDIR") or Path.home())
    line = f"fpath+=('{Path.home() / '.zfunc'}'); autoload -Uz compinit; compinit"
    return Home(Path.home() / ".zfunc" / "_real", folder / ".zshrc", line)


def _fish_home() -> Home:
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Home(folder / "fish" / "completions" / "real.fish", None, "")


HOMES: dict[str, Callable[[], Home]] = {"bash": _bash_home, "zsh": _zsh_home, "fish": _fish_home}
INSTALL, SHOW = "--install-completion", "--show-completion"


def install_completion(context: typer.Context, is_wanted: bool) -> None:
    """Install the script of a shell, say what was written, and exit."""
    if not is_wanted or context.resilient_parsing:
        return
    shell = _shell(context, INSTALL)
    home = HOMES[shell]()
    try:
        home.script.parent.mkdir(parents=True, exist_ok=True)
        home.script.write_text(f"{SCRIPTS[shell]}\n", encoding="utf-8")
        say(f"{home.script}: written, the completion of {shell}")
        if home.startup is not None:
            _add_line(home.startup, home.line)
    except OSError as error:
        raise RealError(f"{error.filename}: {error.strerror}; {SHOW} {shell} prints the script") from None
    say(f"open another terminal, or start {shell} again, and it completes")
    raise typer.Exit


def _add_line(path: Path, line: str) -> None:
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    if line in text.splitlines():
        say(f"{path}: has the line that it needs")
        return
    gap = "" if not text or text.endswith("\n") else "\n"
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{gap}{line}\n")
    say(f"{path}: a line is added: {line}")


def show_completion(context: typer.Context, is_wanted: bool) -> None:
    """Print the script of a shell and exit."""
    if is_wanted and not context.resilient_parsing:
        typer.echo(SCRIPTS[_shell(context, SHOW)])
        raise typer.Exit


def _shell(context: typer.Context, option: str) -> str:
    """Read the shell's name behind the option, else find the shell that runs this."""
    words = context.meta.get(WORDS, {}).get(context.command_path, [])
    place = next(number for number, word in enumerate(words) if word.partition("=")[0] == option)
    named = words[place].partition("=")[2] or "".join(words[place + 1 : place + 2])
    if named in SCRIPTS:
        return str(named)
    if named:
        raise UsageError(f"{option}: {none_of(named, SCRIPTS)}")
    import shellingham

    try:
        shell = str(shellingham.detect_shell()[0])
    except shellingham.ShellDetectionFailure:
        shell = Path(os.environ.get("SHELL", "")).name
    if shell not in SCRIPTS:
        raise UsageError(f"{option}: which shell runs this cannot be seen; name it: {option} {'|'.join(SCRIPTS)}")
    return shell
