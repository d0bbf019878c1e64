"""The published methods that `real init --recipe` writes: what each is, needs and leaves out, and what checks it."""

from typing import NamedTuple

from real_cli.init.choices import Family, Recipe


class Method(NamedTuple):
    """A published method as a recipe.

    Attributes:
        title: Its name in full.
        does: What it does, in a line.
        paper: Authors, year and arXiv number.
        equation: The section or equation that the recipe follows.
        needs: What must be at hand beside the policy.
        departs: Where the recipe is not what the paper did.
        commands: What it is made of, in the order of the pipe.
        family: Where it does its work.
        test: The test that checks its core against the paper.
    """

    title: str
    does: str
    paper: str
    equation: str
    needs: str
    departs: str
    commands: tuple[str, ...]
    family: Family
    test: str


RECIPES: dict[Recipe, Method] = {
    Recipe.real: Method(
        title="REAL: response-embedding-based alignment",
        does="compares the least similar responses of each prompt and keeps the least similar half of the pairs",
        paper="Zhang et al., 2024, arXiv:2409.17169",
        equation="section 3",
        needs="scored responses; the policy embeds them",
        departs="labels are the scores that are in the data, looked at after the choice; equal scores make no pair; "
        "POLICY embeds, where the paper has the model before SFT (name it as ENCODER); the cosine ends with the run, "
        "not at step 750",
        commands=("embed", "pair", "train-dpo", "eval margin"),
        family=Family.select,
        test="tests/pair/test_strategies.py::test_easy_takes_the_least_similar_pair_of_the_fact_sheet",
    ),
    Recipe.reward_augmented: Method(
        title="reward-augmented relabeling",
        does="makes two pairs of each: one aims at the chosen score, the other, labels swapped, at the rejected",
        paper="Zhang et al., 2024, arXiv:2410.08067",
        equation="section 4",
        needs="scored responses",
        departs="a goal stands before the user's words or in a system message, by choice; pairs whose chosen response"
        " has the lower mean over the aspects stay, and so does what overlaps with test sets; held-out pairs aim at "
        "both scores, not at the best alone",
        commands=("pair", "relabel goal", "train-dpo", "eval margin"),
        family=Family.relabel,
        test="tests/relabel/goal/test_goal.py::test_each_record_prefers_the_response_with_the_larger_goal_conditioned_reward",
    ),
    Recipe.spo: Method(
        title="SPO: self-supervised preference optimization",
        does="has a head tell how many key words a response has lost, beside DPO",
        paper="Li et al., 2024, arXiv:2409.17791",
        equation="L = L_DPO + gamma L_degree",
        needs="scored responses",
        departs="extractor (RAKE), degrees, shares, gamma, the head's place, rate and batch are ours: the abstract "
        "gives the sum, and no code is published",
        commands=("pair", "relabel degrade", "train-dpo", "eval margin"),
        family=Family.objective,
        test="tests/train/losses/test_spo.py::test_an_untrained_head_starts_at_ln_of_the_levels",
    ),
    Recipe.rdo: Method(
        title="RDO: reward difference optimization",
        does="multiplies each pair's loss by how much a reward model finds the chosen response better",
        paper="Wang et al., 2024, arXiv:2408.09385",
        equation="L = -R log sigmoid(beta h)",
        needs="responses; a reward model",
        departs="labels that the reward model contradicts weigh 0 and are counted; weights are scaled to mean 1; rate"
        " and batch are ours; the paper's difference model, which reads both responses at once, is not trained here",
        commands=("pair", "relabel reward", "relabel weight", "train-dpo", "eval margin"),
        family=Family.relabel,
        test="tests/relabel/weight/test_weights.py::test_reward_difference_weighs_dpo_as_the_fact_sheet_says",
    ),
    Recipe.bmc: Method(
        title="BMC: bridging and modeling correlations",
        does="has an editor turn the rejected response into a better one, and weighs the tokens that differ",
        paper="Jiang et al., 2024, arXiv:2408.07471",
        equation="section 3",
        needs="scored responses; an editor behind an endpoint",
        departs="the editor is asked in our words; the reference has the policy's token weights, as the paper's "
        "formula and unlike its code",
        commands=("pair", "relabel bridge", "train-dpo", "eval margin"),
        family=Family.relabel,
        test="tests/train/losses/test_bmc.py::test_the_worked_case_of_the_fact_sheet",
    ),
    Recipe.optune: Method(
        title="OPTune: efficient online preference tuning",
        does="answers anew only the prompts whose best response scores lowest, and weighs pairs by their gap, in "
        "rounds",
        paper="Chen et al., 2024, arXiv:2406.07657",
        equation="section 3",
        needs="responses; a reward model",
        departs="the weight is sigmoid(gap), the paper's is unverified; old responses stay, and every round scores "
        "them again; 3 tries a prompt; the share is ours; the settings are those that a summary of the paper has",
        commands=("relabel reward", "sample", "pair", "relabel weight", "train-dpo", "eval margin"),
        family=Family.iterate,
        test="tests/sample/test_sample.py::test_the_lowest_scores_are_sampled_anew_and_no_prompt_too_often",
    ),
    Recipe.ada_dpo: Method(
        title="Ada-DPO: adaptive preference scaling",
        does="gives each pair a temperature of its own, high where it is clear and low where it is not",
        paper="Hong et al., 2024, arXiv:2406.02764",
        equation="min over tau of -tau log sigmoid(beta h / tau) - rho tau",
        needs="scored responses",
        departs="tau in closed form, not by five Newton steps; no 1e-6 within the logarithm, which takes the gradient"
        " from very wrong pairs; the adapter is on every linear layer",
        commands=("pair", "train-dpo", "eval margin"),
        family=Family.objective,
        test="tests/train/losses/test_ada_dpo_dlma_spa.py::test_ada_dpo_at_the_points_of_the_fact_sheet",
    ),
    Recipe.selm: Method(
        title="SELM: self-exploring language models",
        does="makes the policy's own last greedy answer less likely, beside DPO, in rounds",
        paper="Zhang et al., 2024, arXiv:2405.19332",
        equation="algorithm 1",
        needs="scored responses; a reward model",
        departs="a reward model ranks in PairRM's place; the greedy answer, a response and the reference, is made "
        "twice, with the same text; a batch is Zephyr's of one GPU",
        commands=("pair", "sample", "relabel reward", "train-dpo", "eval margin"),
        family=Family.iterate,
        test="tests/train/losses/test_selm_and_tpo.py::test_selm_at_the_point_of_the_fact_sheet",
    ),
    Recipe.dlma: Method(
        title="DLMA: self-rewarding contrastive prompt distillation",
        does="answers to words that ask for the good and to their opposite, and offsets DPO by how both speak for the "
        "answers",
        paper="Liu et al., 2024, arXiv:2402.11907",
        equation="section 3",
        needs="prompts alone",
        departs="the words are ours; the margin counts the end of a response too; 0.2 stands inside beta and no label"
        " is turned where R < 0, as in the paper's code; the paper's warm-up of 150 steps is longer than a run on the"
        " bundled data",
        commands=("sample", "pair", "relabel implicit", "train-dpo", "eval margin"),
        family=Family.iterate,
        test="tests/train/losses/test_ada_dpo_dlma_spa.py::test_dlma_at_the_points_of_the_fact_sheet",
    ),
    Recipe.pro: Method(
        title="PRO: preference ranking optimization",
        does="has each response of a ranking beat all below it, without a reference",
        paper="Song et al., 2023, arXiv:2306.17492",
        equation="eq. 7",
        needs="responses; a reward model",
        departs="rewards of any size are taken as they are; the code's block of 512 is the most tokens of prompt and "
        "response; every token of a response counts, its first and its end",
        commands=("relabel reward", "pair", "train-dpo", "eval margin"),
        family=Family.objective,
        test="tests/train/losses/test_pro.py::test_pro_of_three_at_the_point_of_the_fact_sheet",
    ),
    Recipe.ultrafeedback: Method(
        title="UltraFeedback",
        does="samples answers under principles drawn by weight, has a judge rate four aspects, takes the best and "
        "another",
        paper="Cui et al., 2023, arXiv:2310.01377",
        equation="section 2",
        needs="prompts; a judge behind an endpoint",
        departs="the judge is asked in our words, and without the blocks of world knowledge; the critique is not "
        "shown the principle; no answer is cut at four line ends; one mix of principles for all prompts; pairs go by "
        "the mean of the aspects, as Argilla's, and not by the overall score; the paper trains reward models and has "
        "no DPO, whose settings are ours",
        commands=("sample", "relabel judge", "pair", "train-dpo", "eval margin"),
        family=Family.relabel,
        test="tests/relabel/judge/test_rate.py::test_the_score_is_the_mean_of_the_ratings_that_apply",
    ),
    Recipe.sppo: Method(
        title="SPPO: self-play preference optimization",
        does="pulls log-ratios of the best and worst of K own answers to their win probabilities, in rounds",
        paper="Wu et al., 2024, arXiv:2405.00675",
        equation="eq. 4.7",
        needs="prompts; a reward model or a judge",
        departs="P is sigmoid(score_i - score_j) of a reward model's scores, as the paper's code has it of PairRM's, "
        "and no general preference",
        commands=("sample", "relabel reward", "relabel winprob", "pair", "train-dpo", "eval margin"),
        family=Family.iterate,
        test="tests/train/losses/test_sppo_and_kin.py::test_sppo_at_the_point_of_the_fact_sheet",
    ),
    Recipe.drift: Method(
        title="DRIFT: learning from user dissatisfaction",
        does="takes replies that users complained of as rejected and the policy's own, in sight of the complaint, as "
        "chosen, in rounds",
        paper="Wang et al., 2025, arXiv:2510.02341",
        equation="section 3",
        needs="conversations; a judge behind an endpoint, or a list of phrases",
        departs="the words of the judge and of the sampler are ours, and go through the chat template; no prompt is "
        "cut, so that no complaint is lost; a batch is that of one GPU",
        commands=("relabel dsat", "train-dpo", "sample", "pair", "eval margin"),
        family=Family.iterate,
        test="tests/sample/test_responses.py::test_a_second_round_takes_the_place_of_the_first_and_forgets_what_was_measured_on_it",
    ),
    Recipe.tpo: Method(
        title="TPO: triple preference optimization",
        does="imitates the best response and has the second beat the worst, without a reference",
        paper="Saeidi et al., 2024, arXiv:2405.16681",
        equation="-log sigmoid(beta (lp(chosen) - lp(rejected))) + alpha CE(best)",
        needs="three scored responses a prompt",
        departs="prompt and response together have at most 1024 tokens; the prompt has no limit of its own, the "
        "paper's being 512, and its code, the two swapped, has 512 for both together; a batch is that of one GPU",
        commands=("pair", "train-dpo", "eval margin"),
        family=Family.objective,
        test="tests/train/losses/test_selm_and_tpo.py::test_tpo_at_the_point_of_the_fact_sheet",
    ),
    Recipe.salsa: Method(
        title="SALSA: soup-based alignment",
        does="compares the policy with the average of two fine-tuned models",
        paper="Chegini et al., 2024, arXiv:2411.01798",
        equation="reference = a SFT_1 + (1 - a) SFT_2",
        needs="scored responses; room for four models",
        departs="DPO instead of PPO; the chosen responses are the demonstrations; settings are ours",
        commands=("pair", "train-dpo", "soup", "eval margin"),
        family=Family.objective,
        test="tests/soup/test_soup.py::test_training_against_a_soup_does_not_start_at_ln_2",
    ),
    Recipe.par: Method(
        title="PAR: preference as reward",
        does="shapes rewards into the mean probability of beating the policy's own reference responses",
        paper="Fu et al., 2025, arXiv:2502.18770",
        equation="section 4",
        needs="prompts; a reward model",
        departs="DPO weighted by the gap of the best and the worst shaped reward instead of PPO; the sampled "
        "responses of the SFT model are one another's references; no length penalty, which the paper's code has",
        commands=("sample", "relabel reward", "relabel winprob", "pair", "relabel weight", "train-dpo", "eval margin"),
        family=Family.relabel,
        test="tests/relabel/shape/test_shapes.py::test_par_among_the_responses_of_a_prompt_is_their_probability_of_winning",
    ),
    Recipe.asft: Method(
        title="ASFT: aligned supervised fine-tuning",
        does="imitates the chosen response and unlearns the rejected, each by its own likelihood, without a reference",
        paper="Wang et al., 2024, arXiv:2409.10571",
        equation="CE(chosen) + alpha (-log p(chosen) - log(1 - p(rejected)))",
        needs="scored responses",
        departs="p is that of the mean token, since a whole response's is 0 in any number format; alpha, rate and "
        "batch are ours, the paper's unverified",
        commands=("pair", "train-dpo", "eval margin"),
        family=Family.objective,
        test="tests/train/losses/test_without_reference.py::test_asft_at_the_point_of_the_fact_sheet",
    ),
    Recipe.spa: Method(
        title="SPA: spread preference annotation",
        does="labels own answers by the policy's own log-ratios and smooths the labels it doubts, in rounds",
        paper="Kim et al., 2024, arXiv:2406.04412",
        equation="section 4",
        needs="a few scored responses; prompts",
        departs="rounds have equal shares (the paper 8, 20, 30 thousand prompts), with the prompts of the seeds among"
        " them; the threshold is one of the last 50 batches, the code's of one device's last 50 pairs",
        commands=("pair", "train-dpo", "sample", "relabel implicit", "eval margin"),
        family=Family.iterate,
        test="tests/train/losses/test_ada_dpo_dlma_spa.py::test_spa_at_the_points_of_the_fact_sheet",
    ),
    Recipe.curry_dpo: Method(
        title="Curry-DPO",
        does="pairs the best response with each other one and trains in stages, widest score gap first",
        paper="Pattnaik et al., 2024, arXiv:2403.07230",
        equation="section 3",
        needs="scored responses",
        departs="as many stages as a prompt has responses below its best one, where the paper has three; equal scores"
        " make no pair; rate, schedule and batch are ours",
        commands=("pair", "train-dpo", "eval margin"),
        family=Family.select,
        test="tests/pair/test_choose.py::test_curriculum_numbers_the_gaps_of_the_fact_sheet",
    ),
    Recipe.magpie: Method(
        title="Magpie",
        does="makes instructions of nothing but the chat template, keeps the first of near duplicates, takes best and "
        "worst of 5 answers",
        paper="Xu et al., 2024, arXiv:2406.08464",
        equation="section 2",
        needs="a policy with a chat template; a reward model",
        departs="POLICY itself is trained, not its SFT on Magpie's data, by numbers for llama3-ultrafeedback on one "
        "GPU; the greedy answer is one of the 5; FsfairX scores in ArmoRM's place; duplicates among all, not 500; no "
        "filter by length, tags (relabel judge's rubric magpie), reward above -10 or a colon at the end",
        commands=("sample", "embed", "pair", "relabel reward", "train-dpo", "eval margin"),
        family=Family.iterate,
        test="tests/pair/test_near_duplicates.py::test_a_cosine_of_975_is_a_distance_of_05",
    ),
    Recipe.aepo: Method(
        title="AEPO: annotation-efficient preference optimization",
        does="has only two responses of each prompt scored: those that are representative and diverse",
        paper="Jinnai and Honda, 2024, arXiv:2405.13541",
        equation="eq. 5",
        needs="responses; a reward model",
        departs="the best pair is found by trying all, not by local search; the adapter is on every linear layer",
        commands=("embed", "pair", "relabel reward", "train-dpo", "eval margin"),
        family=Family.select,
        test="tests/pair/test_strategies.py::test_aepo_takes_the_optimum_of_the_fact_sheet",
    ),
}
