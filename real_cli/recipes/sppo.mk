# SPPO: self-play preference optimization
# Paper: Wu et al., 2024, arXiv:2405.00675; eq. 4.7
# Formulas: real-methods(7), section 12
# Does: pulls the log-ratios of the best and the worst of K own answers towards their win probabilities, in rounds
# Needs: prompts; a reward model or a judge
# Departures: P is sigmoid(score_i - score_j) of reward-model scores, as in the paper's code with PairRM's, and no
#   general preference
#
# A judge (real relabel judge) with FROM = preferences gives a general preference. `make check` scores with the policy
# itself.
POLICY ?= smollm2
DATA   ?= prompts.jsonl
ROUNDS  = 1 2 3
SHARES  = 3
K       = 5
SAMPLE  = --temperature 0.7 --top-p 0.9 --max-tokens 2048
MODEL  ?= $(if $(ENDPOINT),,OpenAssistant/reward-model-deberta-v3-large-v2)
SCORE   = $(if $(ENDPOINT),$(judge),$(REAL) relabel reward --model $(MODEL)$(device))
FROM    = scores
TRAIN   = --preset sppo
before  = $(if $(filter 1,$*),$(POLICY),$(O)/$(word $*,0 $(ROUNDS))/aligned)
final   = $(O)/$(lastword $(ROUNDS))/aligned
reads   = prompts
held    = $(held-answered)
CHECK   = FIRST=4 ROUNDS='1 2' SHARES=2 K=3 SAMPLE='$(SAMPLE) --max-tokens 16'
include project.mk
.SECONDEXPANSION:
all: $(ROUNDS:%=$(O)/%/aligned/real.json)
$(ROUNDS:%=$(O)/%/sampled.jsonl): $(O)/%/sampled.jsonl: $(prompts) $$(if $$(filter 1,$$*),,$$(before)/real.json)
	@mkdir -p $(O)/$*
	$(SERVED)$(REAL) sample --policy $(before) -n $(K) --shard $*/$(SHARES) $(SAMPLE)$(here) $< -o $@
$(ROUNDS:%=$(O)/%/scored.jsonl): $(O)/%/scored.jsonl: $(O)/%/sampled.jsonl
	$(SCORE) $< -o $@
$(ROUNDS:%=$(O)/%/pairs.jsonl): $(O)/%/pairs.jsonl: $(O)/%/scored.jsonl
	$(REAL) relabel winprob --from $(FROM) $< -o $(O)/$*/odds.jsonl
	$(REAL) pair --strategy best-worst $(O)/$*/odds.jsonl -o $@
$(O)/%/aligned/real.json: $(O)/%/pairs.jsonl
	$(REAL) train-dpo --policy $(before) $(TRAIN)$(extra) -o $(O)/$*/aligned $< $(log) $(O)/$*/training.jsonl
