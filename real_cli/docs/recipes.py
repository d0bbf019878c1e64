"""The recipes of `real init` in real-recipes(7), read from the heads of their Makefiles."""

from real_cli import __released__, __version__
from real_cli.docs.roff import PLAIN, escape, filled, literal
from real_cli.init.recipes import Method, load_recipes

PAGE = "real-recipes"
DESCRIPTION = (
    """A recipe is a published method as a Makefile of some 40 lines over the commands of real, with the data that it
    starts from beside it. real init --list has a line for each. What all recipes share is in project.mk, which the
    Makefile includes, and your settings are in config.mk.""",
    """make runs the whole method and ends with eval.json in the folder run: how far the trained policy prefers the
    better responses to held-out prompts, compared with the policy before training. Every stage is a file that appears
    whole or not at all, so an interrupted run repeats only the stage that it was in, and a training that was stopped
    goes on from its checkpoint, if settings and pairs are the same; a server's answers are kept and never asked for
    twice. Rounds are targets too: with more ROUNDS, up to SHARES, a finished run continues. make check
    runs everything small, in the folder check and from the start each time: two minutes with smollm2 on two processors,
    and no network. make plan prints the stages that are left, make help the variables. make clean removes both
    folders.""",
    """Settings are those of the paper or of its code, where they are known, and stand as variables at the top: change
    them there, in config.mk or on the command line. make does not repeat a stage because a setting has changed: give O
    another folder, or run make clean first. The settings are meant for tens of thousands of prompts. On the few hundred
    that come with the program hardly anything moves: give TRAIN a larger --learning-rate, a smaller --batch-size and no
    --warmup.""",
    """The seed of a response includes the policy's name, which is its folder: with another O, texts differ from the
    second round on.""",
)
OWN_DATA = (
    """DATA is your file, in any layout that real-records(5) lists, wherever it is. The first stage, real-split(1),
    holds prompts out of it: a tenth, another share with HELDOUT=5%, or those of a file with HELDOUT=FILE, whose
    responses have scores. A held-out prompt is in no file that is trained on. Where the method answers prompts
    itself, it takes the prompts of DATA alone; with a share, held-out prompts are answered and scored as the others
    are.""",
    """A method that needs scored responses finds the scores or the labels in DATA. Without any, name a judge: with
    ENDPOINT and MODEL it rates the responses (in the recipe real it compares the chosen pairs, and no others).
    Where a method has a reward model, MODEL alone names another one, ENDPOINT and MODEL a judge in its place.""",
    """Labels by hand go in as DATA: real relabel human labels what real pair has chosen, and make DATA=../labeled.jsonl
    takes the pairs. Label them before you run make, which asks nobody at a terminal. The recipe real keeps all pairs
    that come with a label, and halves others before they are labeled; KEEP=50% halves labeled ones too, as the paper
    does with HH.""",
    """EXTRA goes to every real train-dpo behind the method's settings: a model of 7 billion parameters trains on one
    GPU with EXTRA='--qlora --batch-tokens 4096'. An adapter goes on as one from round to round; add --merge where a
    server is to read the policy.""",
    """make plan prints the stages that are left and runs none: with what training takes (real train-dpo --estimate)
    and what a judge costs (--dry-run; ASKING='--price 0.15,0.6' gives it the price of a million tokens), or with
    what must be there first. It also says which settings are others than those that the run began with, and where a
    training was stopped. Before all that it looks at the first records of DATA, and of HELDOUT where that is a file:
    where they are not what the recipe needs, it says so, with what would help, and fails in the end. It writes no
    file.""",
    """A setting on make's command line goes before one in config.mk, and that before the environment. A name with a
    space is taken for DATA, HELDOUT and REPORT; other names, and characters that make would misread, are refused in
    words.""",
)
SERVED = (
    """With SERVE='transformers serve' each stage that samples starts a server with the policy of its round on a free
    port of this machine, waits until it answers, and stops it however the stage ends: done, failed, interrupted,
    killed. Its words are in O/serve.log. String prompts become a conversation of one message. transformers draws
    responses only where the policy's generation_config.json has "do_sample": true, which is checked; it takes no
    seed, so that a second run gives other texts.""",
    """SERVE='vllm serve' has the same options and the same routes, and should do; nobody has tried it yet. Options of
    the server stand in SERVE too: SERVE='vllm serve --gpu-memory-utilization 0.8'. Any program will do that takes a
    model, --host and --port, and answers /health and /v1/chat/completions. A policy of another machine needs no
    SERVE: give SAMPLE its --endpoint where there are no rounds.""",
)
COMPARED = (
    """The recipe compare says which method suits your data. It trains POLICY by each of METHODS, with each of SEEDS, on
    the same pairs and for the same steps, measures every policy on the same held-out pairs, and ends with what
    real-eval-compare(1) says of them: accuracy, margin and length by method, each as a paired difference to BASELINE
    with an interval over prompts and seeds, corrected for the number of methods, and the seconds and the memory that
    training took. With one seed there is no interval and no verdict. As it stands it trains 72 times, by 24 losses with
    3 seeds: name fewer METHODS for a first look.""",
    """A method is a loss by its name, or a name of yours: relabel-NAME is the command of real that makes its pairs from
    those of all (relabel weight), with-NAME are its options of real train-dpo. Put them into config.mk. All methods
    have the rate and the steps of TRAIN, and each loss its own default beta: one that its paper trains at another rate
    is at a disadvantage until with-NAME gives it that.""",
    """Each policy's rows are a file, O/rows/METHOD.SEED.jsonl: an interrupted run goes on, make -j2 works at two cells,
    and a further name in METHODS or SEEDS adds what is missing. A policy is as large as POLICY, and is deleted once
    its rows are there, so that the disk holds as many as make works at; with KEEP_POLICIES=yes all stay in O/policies.
    make plan estimates every training that is left, which takes a while where there are many.""",
)
VARIABLES = {
    "DATA": "What the method learns from: prompts, responses, pairs or conversations, as its entry says.",
    "HELDOUT": "What is never trained on: a share of the prompts, or a file with scored responses; 10% where DATA is "
    "yours. The evaluation takes the best and the worst response to each prompt.",
    "POLICY": "The model to train: a folder, as seen from DIR, a hub name, or smollm2.",
    "EXTRA": "More options of every real train-dpo.",
    "ENDPOINT": "The server of a judge or editor, up to and including /v1; KEY names the environment variable that "
    "holds its key.",
    "MODEL": "The judge's name there; without ENDPOINT a reward model.",
    "ASKING": "More options of what asks at ENDPOINT: --price, --concurrency.",
    "SERVE": "The server that answers with the policy of each round; see above.",
    "DEVICE": "The --device of every command that has a model.",
    "REPORT": "An HTML report of the evaluation; it needs the extra report.",
    "ENCODER": "The model that embeds, where the method chooses by similarity.",
    "SAMPLE": "Options of real sample, where the policy answers; POOL names several policies, PRINCIPLES a file.",
    "SCORE": "The command that scores responses, where neither a reward model nor a judge by its rubric will do. make "
    "check scores with the policy itself.",
    "JUDGE": "Options of what recognizes complaints (drift); EDIT, of what edits (bmc).",
    "TRAIN": "Options of real train-dpo; SEED and SFT are those of a training before it.",
    "ROUNDS": "The rounds of an iterative method, '1 2 3'.",
    "SHARES": "How many parts the prompts are dealt into, one a round: as many as there will ever be rounds, since it "
    "must stay the same when a run continues.",
    "METHODS": "What is compared (compare): losses, and names with a relabel-NAME or with-NAME; see above.",
    "BASELINE": "The method that the others are compared with (compare).",
    "SEEDS": "Of the trainings of each method (compare), or of those before the soup (salsa).",
    "DEVICES": "Devices that trainings are dealt out to (compare); with make -j they run side by side.",
    "KEEP_POLICIES": "Keeps trained policies that are deleted otherwise once they are measured (compare).",
    "O": "The folder of a run.",
}
EXAMPLES = (
    "real init sppo --recipe sppo",
    "make -C sppo check",
    "make -C sppo plan DATA=$PWD/prompts.jsonl HELDOUT=5% POLICY=$PWD/sft",
    "make -C sppo POLICY=$PWD/sft O=first TRAIN='--preset sppo --learning-rate 5e-6'",
)


def recipes_page() -> str:
    """Make real-recipes(7)."""
    lines = [
        f'.TH {PAGE.upper()} 7 {__released__} "real {__version__}" "Methods"',
        *PLAIN,
        ".SH NAME",
        f"{escape(PAGE)} \\- published methods as Makefiles",
        ".SH SYNOPSIS",
        ".B real init",
        r"DIR \-\-recipe NAME",
        ".br",
        ".B make \\-C",
        "DIR [plan | check | help | clean] [VARIABLE=VALUE]...",
        ".SH DESCRIPTION",
        "\n.PP\n".join(map(filled, DESCRIPTION)),
        ".SH ON YOUR OWN DATA",
        "\n.PP\n".join(map(filled, OWN_DATA)),
        ".SH ROUNDS WHOSE POLICY IS SERVED",
        "\n.PP\n".join(map(filled, SERVED)),
        ".SH METHODS SIDE BY SIDE",
        "\n.PP\n".join(map(filled, COMPARED)),
        ".SH VARIABLES",
    ]
    for name, meaning in VARIABLES.items():
        lines += [".TP", f".B {name}", filled(meaning)]
    lines.append(".SH RECIPES")
    for name, method in load_recipes().items():
        lines += [".TP", f".B {escape(name)}", *_paragraph(method)]
    lines += [".SH EXAMPLES", ".nf", *map(literal, EXAMPLES), ".fi", ".SH SEE ALSO", ".BR make (1),", ".BR real (1),"]
    return "\n".join([*lines, ".BR real\\-init (1),", ".BR real\\-split (1),", ".BR real\\-methods (7)"]) + "\n"


def _paragraph(method: Method) -> list[str]:
    texts = (
        f"{method.title}. It {method.does}.",
        f"Source: {method.paper}, {method.equation}.{_formulas(method)}",
        f"Needs {method.needs}.",
        f"Departures: {method.departs}.",
        f"Made of: {', '.join(method.commands)}.",
    )
    return "\n.br\n".join(map(filled, texts)).splitlines()


def _formulas(method: Method) -> str:
    return "" if method.section is None else f" Formulas: real-methods(7), section {method.section}."
