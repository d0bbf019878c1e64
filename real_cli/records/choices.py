"""Names that the command line offers. Light on purpose: help must not load numpy or torch."""

from enum import StrEnum


class Strategy(StrEnum):
    """How `pair` chooses responses; the functions are in `real_cli.pair.strategies`."""

    easy = "easy"
    hard = "hard"
    centroid = "centroid"
    random = "random"
    aepo = "aepo"
    best_worst = "best-worst"
    best_random = "best-random"
    best_vs_rest = "best-vs-rest"
    all = "all"
    dts = "dts"
    drts = "drts"
    delta_ucb = "delta-ucb"
    delta_quantile = "delta-quantile"
    infomax = "infomax"
    maxmin_lcb = "maxmin-lcb"


class Orient(StrEnum):
    """What decides which response of a chosen pair is preferred."""

    auto = "auto"
    score = "score"
    rank = "rank"
    none = "none"


class Emit(StrEnum):
    """What `pair` writes for a prompt."""

    pairs = "pairs"
    triples = "triples"
    ranking = "ranking"
    prompts = "prompts"


class Loss(StrEnum):
    """Objectives of `train-dpo`; the functions are in `real_cli.train.losses`."""

    dpo = "dpo"
    cdpo = "cdpo"
    ipo = "ipo"
    hinge = "hinge"
    robust = "robust"
    exo = "exo"
    nca = "nca"
    bco = "bco"
    aot = "aot"
    aot_unpaired = "aot-unpaired"
    apo_zero = "apo-zero"
    apo_down = "apo-down"
    discopop = "discopop"
    dpo_norm = "dpo-norm"
    sppo = "sppo"
    sppo_hard = "sppo-hard"
    ada_dpo = "ada-dpo"
    dlma = "dlma"
    spa = "spa"
    bmc = "bmc"
    bmc_code = "bmc-code"
    spo = "spo"
    selm = "selm"
    tpo = "tpo"
    tpo_l = "tpo-l"
    pro = "pro"
    sft = "sft"
    asft = "asft"
    simpo = "simpo"
    cpo = "cpo"
    orpo = "orpo"


class Preset(StrEnum):
    """Published settings of `train-dpo`; the numbers are in `real_cli.train.presets`."""

    real = "real"
    ra = "ra"
    bmc = "bmc"
    selm = "selm"
    dlma = "dlma"
    pro = "pro"
    sppo = "sppo"
    drift = "drift"
    tpo = "tpo"
    spa = "spa"
    magpie_align = "magpie-align"


class StageReference(StrEnum):
    """What the policy is compared with in each stage of a curriculum."""

    previous = "previous"
    initial = "initial"


class Schedule(StrEnum):
    """How the learning rate goes after its warm-up, by transformers' names."""

    linear = "linear"
    cosine = "cosine"
    constant = "constant"
    inverse_sqrt = "inverse_sqrt"


class Optimizer(StrEnum):
    """What takes the steps."""

    adamw = "adamw"
    rmsprop = "rmsprop"
    adafactor = "adafactor"
    sgd = "sgd"
    adamw_8bit = "adamw-8bit"


class Placement(StrEnum):
    """Where `relabel goal` puts the goal."""

    system = "system"
    user = "user"


class Evidence(StrEnum):
    """What `relabel winprob` reads; the functions are in `real_cli.relabel.winprob.probabilities`."""

    scores = "scores"
    preferences = "preferences"


class WeightRule(StrEnum):
    """How `relabel weight` weighs a pair; the functions are in `real_cli.relabel.weight.weights`."""

    reward_difference = "reward-difference"
    gap_utility = "gap-utility"


class Normalization(StrEnum):
    """What `relabel weight` makes of all weights together; the functions are in `real_cli.relabel.weight.weights`."""

    none = "none"
    mean = "mean"
    min_max = "min-max"


class Negative(StrEnum):
    """What `relabel weight` does with a negative weight; the functions are in `real_cli.relabel.weight.weights`."""

    refuse = "refuse"
    clip = "clip"
    keep = "keep"


class Shaping(StrEnum):
    """How `relabel shape` shapes scores; the functions are in `real_cli.relabel.shape.shapes`."""

    par = "par"
    centered = "centered"
    tanh = "tanh"
    arctan = "arctan"
    polynomial = "polynomial"
    sgfc = "sgfc"
    lsc = "lsc"
    ceiling = "ceiling"
    clip = "clip"
    standardize = "standardize"
    min_max = "min-max"


class Verdict(StrEnum):
    """What an annotator says of a pair, in the order the record has its two responses in."""

    first = "first"
    second = "second"
    tie = "tie"
    skip = "skip"


class Shown(StrEnum):
    """The order in which an annotator sees the two responses of a pair."""

    as_is = "as-is"
    swapped = "swapped"


class Ties(StrEnum):
    """What `relabel human` does with a pair of which neither response is better."""

    drop = "drop"
    keep = "keep"


class AnnotationTool(StrEnum):
    """Whose files `relabel human --export` writes; the formats are in `real_cli.relabel.human.exports`."""

    csv = "csv"
    label_studio = "label-studio"
    argilla = "argilla"


class OnError(StrEnum):
    """What a bad record does to the run."""

    fail = "fail"
    skip = "skip"


class Encoding(StrEnum):
    """How an embedding is written."""

    array = "array"
    base64 = "base64"
    base64_float16 = "base64-float16"


class Pooling(StrEnum):
    """How a causal language model's token states become one vector."""

    mean = "mean"
    last = "last"


class Field(StrEnum):
    """What `embed` embeds."""

    responses = "responses"
    prompt = "prompt"


class Precision(StrEnum):
    """Number format of a model."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


class TokenLayout(StrEnum):
    """How a prompt and its responses lie in the sequences that a model reads."""

    auto = "auto"
    shared = "shared"
    plain = "plain"


class Attention(StrEnum):
    """How attention is computed, by transformers' names."""

    auto = "auto"
    sdpa = "sdpa"
    eager = "eager"
    flex = "flex_attention"
    flash = "flash_attention_2"


class Recipe(StrEnum):
    """Methods that `init` writes a Makefile of; what is known of each is in `real_cli.init.recipes`."""

    real = "real"
    reward_augmented = "reward-augmented"
    spo = "spo"
    rdo = "rdo"
    bmc = "bmc"
    optune = "optune"
    ada_dpo = "ada-dpo"
    selm = "selm"
    dlma = "dlma"
    pro = "pro"
    ultrafeedback = "ultrafeedback"
    sppo = "sppo"
    drift = "drift"
    tpo = "tpo"
    salsa = "salsa"
    par = "par"
    asft = "asft"
    spa = "spa"
    curry_dpo = "curry-dpo"
    magpie = "magpie"
    aepo = "aepo"


class Family(StrEnum):
    """Where a method does its work."""

    select = "select"
    relabel = "relabel"
    objective = "objective"
    iterate = "iterate"
