# SELM: self-exploring language models
# Paper: Zhang et al., 2024, arXiv:2405.19332; algorithm 1
# Formulas: real-methods(7), section 8
# Does: makes the policy's own last greedy answer less likely, alongside DPO, in rounds
# Needs: scored responses; a reward model
# Departures: a reward model ranks instead of PairRM; the greedy answer is generated twice, as a response and as the
#   reference, with the same text; the batch is Zephyr's on one GPU
#
# LR has a rate for each round, the last also for those after it; these are Phi-3's. Llama-3's --alpha is 0.0001. `make
# check` scores with the policy itself.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
ROUNDS  = 1 2 3
SHARES  = 3
LR      = 5e-7 3e-7 1e-7
SAMPLE  = --max-tokens 1024
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
TRAIN   = --preset selm
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
O       = run
before  = $(if $(filter 1,$*),$(POLICY),$(O)/$(word $*,0 $(ROUNDS))/aligned)
rate    = $(or $(word $*,$(LR)),$(lastword $(LR)))
.DELETE_ON_ERROR .SECONDEXPANSION .PHONY: all check clean
all: $(ROUNDS:%=$(O)/%/aligned/real.json) $(O)/eval.json
$(ROUNDS:%=$(O)/%/sampled.jsonl): $(O)/%/sampled.jsonl: $(PROMPTS) $$(if $$(filter 1,$$*),,$$(before)/real.json)
	@mkdir -p $(O)/$*
	$(REAL) pair --strategy best-random $< -o $(@D)/2.jsonl
	$(REAL) sample -p $(before) --greedy --append --shard $*/$(SHARES) $(SAMPLE) $(@D)/2.jsonl -o $(@D)/3.jsonl
	$(REAL) sample -p $(before) --per-row-reference $(SAMPLE) $(@D)/3.jsonl -o $@
$(ROUNDS:%=$(O)/%/pairs.jsonl): $(O)/%/pairs.jsonl: $(O)/%/sampled.jsonl
	$(SCORE) $< -o $(O)/$*/scored.jsonl
	$(REAL) pair --strategy best-worst --orient score $(O)/$*/scored.jsonl -o $@
$(O)/%/aligned/real.json: $(O)/%/pairs.jsonl
	$(REAL) train-dpo -p $(before) --learning-rate $(rate) $(TRAIN) -o $(O)/$*/aligned $< > $(O)/$*/training.jsonl
$(O)/eval.json: $(HELDOUT) $(O)/$(lastword $(ROUNDS))/aligned/real.json
	$(REAL) pair --strategy best-worst $< -o $(O)/heldout.jsonl
	$(REAL) eval margin --policy $(O)/$(lastword $(ROUNDS))/aligned --reference $(POLICY) $(O)/heldout.jsonl -o $@
check:; mkdir -p check && head -n 6 $(PROMPTS) > check/few.jsonl && head -n 6 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl ROUNDS=1 SHARES=1 \
	  SAMPLE='--max-tokens 16' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly."'
clean:; rm -rf $(O) check
