"""The table of objectives: the name a user gives, the function, and what a trainer gathers for it."""

from real_cli.train.losses import ada_dpo, aot, bmc, dpo, pro, sft, spo, sppo
from real_cli.train.losses.tpo import selm_loss, tpo_l_loss, tpo_loss
from real_cli.train.objective import Column, Need, Objective, Responses

WIN_PROBABILITIES = (Column("prob_chosen", 0, 1), Column("prob_rejected", 0, 1))

OBJECTIVES: dict[str, Objective] = {
    "dpo": Objective(dpo.dpo_loss),
    "cdpo": Objective(dpo.cdpo_loss),
    "ipo": Objective(dpo.ipo_loss),
    "hinge": Objective(dpo.hinge_loss),
    "robust": Objective(dpo.robust_loss),
    "exo": Objective(dpo.exo_loss, positive=("label_smoothing",)),
    "nca": Objective(sppo.nca_loss),
    "bco": Objective(sppo.bco_loss),
    "aot": Objective(aot.aot_loss, Need.reference | Need.whole_batch),
    "aot-unpaired": Objective(aot.aot_unpaired_loss, Need.reference | Need.whole_batch),
    "apo-zero": Objective(sppo.apo_zero_loss),
    "apo-down": Objective(sppo.apo_down_loss),
    "discopop": Objective(dpo.discopop_loss),
    "dpo-norm": Objective(dpo.dpo_norm_loss),
    "sppo": Objective(sppo.sppo_loss, columns=WIN_PROBABILITIES),
    "sppo-hard": Objective(sppo.sppo_hard_loss),
    "ada-dpo": Objective(ada_dpo.ada_dpo_loss, shows=(("tau", ada_dpo.ada_dpo_tau),)),
    "dlma": Objective(ada_dpo.dlma_loss, columns=(Column("offset"),)),
    "spa": Objective(
        ada_dpo.spa_loss,
        Need.reference | Need.decoupled,
        remembers=ada_dpo.spa_detector,
        shows=(("flagged", ada_dpo.spa_flagged), ("detector", ada_dpo.spa_detector)),
    ),
    "bmc": Objective(bmc.bmc_loss, Need.reference | Need.tokens),
    "bmc-code": Objective(bmc.bmc_code_loss, Need.reference | Need.tokens),
    "spo": Objective(spo.spo_loss, Need.reference | Need.degrees, Responses.copies),
    "selm": Objective(selm_loss, responses=Responses.triple),
    "tpo": Objective(tpo_loss, Need.nothing, Responses.triple),
    "tpo-l": Objective(tpo_l_loss, Need.nothing, Responses.triple, averages=True),
    "sft": Objective(sft.sft_loss, Need.nothing),
    "simpo": Objective(sft.simpo_loss, Need.nothing, averages=True),
    "cpo": Objective(sft.cpo_loss, Need.nothing),
    "orpo": Objective(sft.orpo_loss, Need.nothing, averages=True),
    "asft": Objective(sft.asft_loss, Need.nothing, averages=True),
    "pro": Objective(pro.pro_loss, Need.nothing, Responses.ranking, averages=True),
}
