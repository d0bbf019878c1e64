"""The table of objectives: the name a user gives, the function, and what a trainer gathers for it."""

from real_cli.train.losses import adaptive, anchored, degrees, likelihood, listwise, pairwise, tokenwise, transport
from real_cli.train.losses.objective import Column, Need, Objective, Responses
from real_cli.train.losses.triples import selm_loss, tpo_l_loss, tpo_loss

WIN_PROBABILITIES = (Column("prob_chosen", 0, 1), Column("prob_rejected", 0, 1))

OBJECTIVES: dict[str, Objective] = {
    "dpo": Objective(pairwise.dpo_loss),
    "cdpo": Objective(pairwise.cdpo_loss),
    "ipo": Objective(pairwise.ipo_loss),
    "hinge": Objective(pairwise.hinge_loss),
    "robust": Objective(pairwise.robust_loss),
    "exo": Objective(pairwise.exo_loss, positive=("label_smoothing",)),
    "nca": Objective(anchored.nca_loss),
    "bco": Objective(anchored.bco_loss),
    "aot": Objective(transport.aot_loss, Need.reference | Need.whole_batch),
    "aot-unpaired": Objective(transport.aot_unpaired_loss, Need.reference | Need.whole_batch),
    "apo-zero": Objective(anchored.apo_zero_loss),
    "apo-down": Objective(anchored.apo_down_loss),
    "discopop": Objective(pairwise.discopop_loss),
    "dpo-norm": Objective(pairwise.dpo_norm_loss),
    "sppo": Objective(anchored.sppo_loss, columns=WIN_PROBABILITIES),
    "sppo-hard": Objective(anchored.sppo_hard_loss),
    "ada-dpo": Objective(adaptive.ada_dpo_loss, shows=(("tau", adaptive.ada_dpo_tau),)),
    "dlma": Objective(adaptive.dlma_loss, columns=(Column("offset"),)),
    "spa": Objective(
        adaptive.spa_loss,
        Need.reference | Need.decoupled,
        remembers=adaptive.spa_detector,
        shows=(("flagged", adaptive.spa_flagged), ("detector", adaptive.spa_detector)),
    ),
    "bmc": Objective(tokenwise.bmc_loss, Need.reference | Need.tokens),
    "bmc-code": Objective(tokenwise.bmc_code_loss, Need.reference | Need.tokens),
    "spo": Objective(degrees.spo_loss, Need.reference | Need.degrees, Responses.copies),
    "selm": Objective(selm_loss, responses=Responses.triple),
    "tpo": Objective(tpo_loss, Need.nothing, Responses.triple),
    "tpo-l": Objective(tpo_l_loss, Need.nothing, Responses.triple, averages=True),
    "sft": Objective(likelihood.sft_loss, Need.nothing),
    "simpo": Objective(likelihood.simpo_loss, Need.nothing, averages=True),
    "cpo": Objective(likelihood.cpo_loss, Need.nothing),
    "orpo": Objective(likelihood.orpo_loss, Need.nothing, averages=True),
    "asft": Objective(likelihood.asft_loss, Need.nothing, averages=True),
    "pro": Objective(listwise.pro_loss, Need.nothing, Responses.ranking, averages=True),
}
