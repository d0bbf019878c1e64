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
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
ROUNDS  = 1 2 3
SHARES  = 3
K       = 5
SAMPLE  = --temperature 0.7 --top-p 0.9 --max-tokens 2048
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
FROM    = scores
TRAIN   = --preset sppo
PROMPTS = prompts.jsonl
HELDOUT = heldout.jsonl
O       = run
before  = $(if $(filter 1,$*),$(POLICY),$(O)/$(word $*,0 $(ROUNDS))/aligned)
.DELETE_ON_ERROR .SECONDEXPANSION .PHONY: all check clean
all: $(ROUNDS:%=$(O)/%/aligned/real.json) $(O)/eval.json
$(ROUNDS:%=$(O)/%/sampled.jsonl): $(O)/%/sampled.jsonl: $(PROMPTS) $$(if $$(filter 1,$$*),,$$(before)/real.json)
	@mkdir -p $(O)/$*
	$(REAL) sample --policy $(before) -n $(K) --shard $*/$(SHARES) $(SAMPLE) $< -o $@
$(ROUNDS:%=$(O)/%/scored.jsonl): $(O)/%/scored.jsonl: $(O)/%/sampled.jsonl
	$(SCORE) $< -o $@
$(ROUNDS:%=$(O)/%/pairs.jsonl): $(O)/%/pairs.jsonl: $(O)/%/scored.jsonl
	$(REAL) relabel winprob --from $(FROM) $< -o $(O)/$*/odds.jsonl
	$(REAL) pair --strategy best-worst $(O)/$*/odds.jsonl -o $@
$(O)/%/aligned/real.json: $(O)/%/pairs.jsonl
	$(REAL) train-dpo --policy $(before) $(TRAIN) -o $(O)/$*/aligned $< > $(O)/$*/training.jsonl
$(O)/eval.json: $(HELDOUT) $(O)/$(lastword $(ROUNDS))/aligned/real.json
	$(REAL) pair --strategy best-worst $< -o $(O)/heldout.jsonl
	$(REAL) eval margin --policy $(O)/$(lastword $(ROUNDS))/aligned --reference $(POLICY) $(O)/heldout.jsonl -o $@
check:; mkdir -p check && head -n 4 $(PROMPTS) > check/few.jsonl && head -n 4 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl ROUNDS='1 2' SHARES=2 K=3 \
	  SAMPLE='$(SAMPLE) --max-tokens 16' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly."'
clean:; rm -rf $(O) check
