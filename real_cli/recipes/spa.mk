# SPA: spread preference annotation
# Paper: Kim et al., 2024, arXiv:2406.04412; section 4
# Formulas: real-methods(7), section 18
# Does: labels the policy's answers by its own log-ratios and smooths the labels it doubts, in rounds
# Needs: a few scored responses; prompts
# Departures: rounds get equal shares (the paper's 8, 20 and 30 thousand prompts), the prompts of the seeds included;
#   the threshold is taken from the last 50 batches, the code's from one device's last 50 pairs
#
# The preset extrapolates by 0.5.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
ROUNDS  = 1 2
SHARES  = 2
SEEDS   = 3.3%
SAMPLE  = --temperature 0.7 --max-tokens 300
SEED    = --preset spa --loss dpo --epochs 3
TRAIN   = --preset spa
before  = $(O)/$(word $*,0 $(ROUNDS))/aligned
final   = $(O)/$(lastword $(ROUNDS))/aligned
CHECK   = FIRST=4 ROUNDS=1 SHARES=1 SEEDS=2 SAMPLE='--max-tokens 16' SEED='$(SEED) --max-steps 2 --batch-size 1'
include project.mk
.SECONDEXPANSION:
all: $(ROUNDS:%=$(O)/%/aligned/real.json)
$(O)/0/aligned/real.json: $(scored)
	@mkdir -p $(O)/0
	$(REAL) pair --strategy best-random --keep $(SEEDS) --by random $< -o $(O)/0/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(SEED)$(extra) -o $(O)/0/aligned $(O)/0/pairs.jsonl \
	  $(log) $(O)/0/training.jsonl
$(ROUNDS:%=$(O)/%/sampled.jsonl): $(O)/%/sampled.jsonl: $(prompts) $$(before)/real.json
	@mkdir -p $(O)/$*
	$(SERVED)$(REAL) sample --policy $(before) -n 2 --shard $*/$(SHARES) $(SAMPLE)$(here) $< -o $@
$(O)/%/aligned/real.json: $(O)/%/sampled.jsonl
	$(REAL) relabel implicit --policy $(before) --reference $(POLICY)$(device) $< -o $(O)/$*/labeled.jsonl
	$(REAL) pair --strategy best-worst $(O)/$*/labeled.jsonl -o $(O)/$*/pairs.jsonl
	$(REAL) train-dpo --policy $(before) $(TRAIN)$(extra) -o $(O)/$*/aligned $(O)/$*/pairs.jsonl \
	  $(log) $(O)/$*/training.jsonl
