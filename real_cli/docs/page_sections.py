"""What the page of a command says behind its options: exit status, environment and files, by the options it has."""

from collections.abc import Collection, Iterator

from real_cli.docs.roff import escape, filled

DONE = "Done; also when the reader of the output closed the pipe."
STATUSES = {
    "0": DONE,
    "1": "The data, a model or the run failed; the message says which.",
    "2": "The command line is wrong.",
    "130": "Interrupted, or paused by whoever answers.",
    "143": "Terminated.",
}
# By an option that the command has: what else its status 3 means.
REJECTED = {
    "on_error": "Done, but records were rejected, by --on-error skip or because a model gave no answer to them.",
    "strict": "Done, but a limit is passed, and --strict is given; or records were rejected.",
}
CACHE = "The folder for what can be made again; by default real in XDG_CACHE_HOME, or in ~/.cache."
# Variables by the options of the commands that read them; an empty set for every command.
VARIABLES: dict[str, tuple[frozenset[str], str]] = {
    "REAL_CACHE": (frozenset({"device", "cache", "base"}), CACHE),
    "REAL_API_KEY": (
        frozenset({"endpoint"}),
        "The key of the server that --endpoint names, unless --key-variable names another variable.",
    ),
    "HF_HUB_OFFLINE": (frozenset({"device", "base"}), "If set, no hub is asked for a model."),
    "CUDA_VISIBLE_DEVICES": (frozenset({"device"}), "Which GPUs are used."),
    "RANK, LOCAL_RANK, WORLD_SIZE": (
        frozenset({"devices"}),
        "Of a launcher that has started several processes; so are SLURM_PROCID and its kin under srun.",
    ),
    "OMP_NUM_THREADS": (
        frozenset({"devices"}),
        "Threads of each process; by default processes on one machine share its cores.",
    ),
    "TMPDIR": (frozenset({"on_error"}), "Where records wait on disk, if the command buffers; by default /tmp."),
    "COLUMNS": (frozenset(), "The width of the help, where it is not the terminal's."),
    "REAL_DEBUG": (frozenset(), "If set, an unexpected error shows its traceback."),
}
FILES: dict[str, tuple[frozenset[str], str]] = {
    "$REAL_CACHE/models": (frozenset({"device", "base"}), "Dequantized .gguf models; safe to remove."),
    "$REAL_CACHE/answers": (frozenset({"cache"}), "Answers of language models, of --cache."),
    "real.json": (frozenset({"merge", "weights"}), "The manifest of the folder that is written: arguments and hashes."),
    "DIR/Makefile": (frozenset({"recipe"}), "The project's stages."),
    "DIR/config.mk": (frozenset({"recipe"}), "Of a recipe: your settings, each as a comment."),
    "DIR/project.mk": (frozenset({"recipe"}), "Of a recipe: what all share; plan.sh and serve.sh belong to it."),
    "DIR/*.jsonl": (frozenset({"recipe"}), "The bundled data."),
    "DIR/run": (frozenset({"recipe"}), "Of a recipe: all that make writes, eval.json last; O names another folder."),
}


def closing_sections(options: Collection[str]) -> list[str]:
    """Write the sections as lines of roff, for a command with these options."""
    statuses = dict(STATUSES)
    meanings = [text for name, text in REJECTED.items() if name in options]
    if meanings:
        statuses["3"] = meanings[-1]
    lines = [".SH EXIT STATUS"]
    for status in sorted(statuses, key=int):
        lines += [".TP 5", f".B {status}", filled(statuses[status])]
    for title, table in (("ENVIRONMENT", VARIABLES), ("FILES", FILES)):
        rows = list(_rows(table, options))
        lines += [f".SH {title}"] * bool(rows) + rows
    return lines


def _rows(table: dict[str, tuple[frozenset[str], str]], options: Collection[str]) -> Iterator[str]:
    for name, (readers, text) in table.items():
        if not readers or readers & set(options):
            yield from (".TP", f".B {escape(name)}", filled(text))
