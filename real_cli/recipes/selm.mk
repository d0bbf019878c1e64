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
POLICY ?= smollm2
DATA   ?= candidates.jsonl
ROUNDS  = 1 2 3
SHARES  = 3
LR      = 5e-7 3e-7 1e-7
SAMPLE  = --max-tokens 1024
MODEL  ?= $(if $(ENDPOINT),,OpenAssistant/reward-model-deberta-v3-large-v2)
SCORE   = $(if $(ENDPOINT),$(judge),$(REAL) relabel reward --model $(MODEL)$(device))
TRAIN   = --preset selm
before  = $(if $(filter 1,$*),$(POLICY),$(O)/$(word $*,0 $(ROUNDS))/aligned)
final   = $(O)/$(lastword $(ROUNDS))/aligned
rate    = $(or $(word $*,$(LR)),$(lastword $(LR)))
CHECK   = ROUNDS=1 SHARES=1 SAMPLE='--max-tokens 16'
include project.mk
.SECONDEXPANSION:
all: $(ROUNDS:%=$(O)/%/aligned/real.json)
$(ROUNDS:%=$(O)/%/sampled.jsonl): $(O)/%/sampled.jsonl: $(scored) $$(if $$(filter 1,$$*),,$$(before)/real.json)
	@mkdir -p $(O)/$*
	$(REAL) pair --strategy best-random $< -o $(@D)/2.jsonl
	$(SERVED)$(REAL) sample -p $(before) --greedy --append --shard $*/$(SHARES) $(SAMPLE)$(here) $(@D)/2.jsonl \
	  -o $(@D)/3.jsonl
	$(SERVED)$(REAL) sample -p $(before) --per-row-reference $(SAMPLE)$(here) $(@D)/3.jsonl -o $@
$(ROUNDS:%=$(O)/%/pairs.jsonl): $(O)/%/pairs.jsonl: $(O)/%/sampled.jsonl
	$(SCORE) $< -o $(O)/$*/scored.jsonl
	$(REAL) pair --strategy best-worst --orient score $(O)/$*/scored.jsonl -o $@
$(O)/%/aligned/real.json: $(O)/%/pairs.jsonl
	$(REAL) train-dpo -p $(before) --learning-rate $(rate) $(TRAIN)$(extra) -o $(O)/$*/aligned $< \
	  $(log) $(O)/$*/training.jsonl
