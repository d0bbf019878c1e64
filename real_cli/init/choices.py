"""The methods that `real init` writes."""

from enum import StrEnum


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
