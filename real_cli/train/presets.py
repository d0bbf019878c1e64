"""Published settings of `train-dpo`, each as its official configuration has them (real-methods(7), section 24).

Batches are pairs a step: where a configuration speaks of one GPU, those of one GPU. Limits on the prompt alone, which
some have, are not here: TRL has none any more. The codes of dlma and pro have no schedule: their rates are constant,
dlma's after its warm-up. pro takes 2 rankings on each of 7 GPUs and accumulates 8 times: 112 a step, 16 on one GPU.
Every setting is overridden by an option of its name.
"""

from typing import TypedDict

from real_cli.train.choices import Optimizer, Preset, Schedule


class PublishedSettings(TypedDict, total=False):
    """Options of `train-dpo` that a preset sets; each stands in for the one of its name."""

    loss: str
    loss_weights: str
    beta: float
    label_smoothing: float
    alpha: float
    delta: float
    offset_scale: float
    offset_min: float
    offset_max: float
    flip_quantile: float
    warm_share: float
    learning_rate: float
    schedule: Schedule
    warmup: float
    optimizer: Optimizer
    weight_decay: float
    max_grad_norm: float
    epochs: float
    batch_size: int
    max_length: int


COSINE: PublishedSettings = {"learning_rate": 5e-7, "schedule": Schedule.cosine, "warmup": 0.1, "epochs": 1.0}
LINEAR: PublishedSettings = COSINE | {"schedule": Schedule.linear}
CONSTANT: PublishedSettings = COSINE | {"schedule": Schedule.constant}
RMSPROP: PublishedSettings = {"optimizer": Optimizer.rmsprop}

PRESETS: dict[Preset, PublishedSettings] = {
    Preset.real: COSINE
    | RMSPROP
    | {"loss": "dpo", "beta": 0.1, "warmup": 50, "batch_size": 16, "max_length": 512}
    | {"weight_decay": 1e-4, "max_grad_norm": 5.0},
    Preset.ra: COSINE | {"loss": "dpo", "beta": 0.01, "batch_size": 128, "max_length": 1024},
    Preset.bmc: COSINE | {"loss": "bmc", "beta": 0.01, "delta": 1.5, "batch_size": 128, "max_length": 2048},
    Preset.selm: COSINE | {"loss": "selm", "beta": 0.01, "alpha": 1e-3, "batch_size": 32, "max_length": 1024},
    Preset.dlma: CONSTANT
    | RMSPROP
    | {"loss": "dlma", "beta": 0.1, "warmup": 150, "batch_size": 64, "max_length": 512, "max_grad_norm": 10.0}
    | {"offset_scale": 0.2, "offset_min": -40.0, "offset_max": 40.0},
    Preset.pro: CONSTANT
    | {"loss": "pro", "alpha": 0.05, "learning_rate": 5e-6, "warmup": 0.0, "epochs": 2.0, "batch_size": 16}
    | {"max_length": 512},
    Preset.sppo: LINEAR | RMSPROP | {"loss": "sppo", "beta": 0.001, "batch_size": 64, "max_length": 1024},
    Preset.drift: LINEAR
    | RMSPROP
    | {"loss": "dpo,sft", "loss_weights": "1,0.001", "beta": 0.1, "batch_size": 4, "max_length": 2048},
    Preset.tpo: COSINE | {"loss": "tpo", "beta": 0.2, "alpha": 0.9, "batch_size": 2, "max_length": 1024},
    Preset.spa: COSINE
    | {"loss": "spa", "beta": 0.1, "label_smoothing": 0.1, "flip_quantile": 0.1, "warm_share": 0.2}
    | {"batch_size": 32, "max_length": 2048},
    Preset.magpie_align: COSINE
    | {"loss": "dpo", "beta": 0.01, "learning_rate": 1e-6, "batch_size": 32, "max_length": 2048},
}
