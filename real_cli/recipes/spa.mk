# SPA: spread preference annotation
# Paper: Kim et al., 2024, arXiv:2406.04412; section 4
# Formulas: real-methods(7), section 18
# Does: labels the policy's answers by its own log-ratios and smooths the labels it doubts, in rounds
# Needs: a few scored responses; prompts
# Departures: rounds get equal shares (the paper's 8, 20 and 30 thousand prompts), the prompts of the seeds included;
#   the threshold is taken from the last 50 batches, the code's from one device's last 50 pairs
#
# The preset extrapolates by 0.5.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
ROUNDS  = 1 2
SHARES  = 2
SEEDS   = 3.3%
SAMPLE  = --temperature 0.7 --max-tokens 300
SEED    = --preset spa --loss dpo --epochs 3
TRAIN   = --preset spa
LABELED = candidates.jsonl
PROMPTS = prompts.jsonl
HELDOUT = heldout.jsonl
O       = run
before  = $(O)/$(word $*,0 $(ROUNDS))/aligned
.DELETE_ON_ERROR .SECONDEXPANSION .PHONY: all check clean
all: $(ROUNDS:%=$(O)/%/aligned/real.json) $(O)/eval.json
$(O)/0/aligned/real.json: $(LABELED)
	@mkdir -p $(O)/0
	$(REAL) pair --strategy best-random --keep $(SEEDS) --by random $< -o $(O)/0/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(SEED) -o $(O)/0/aligned $(O)/0/pairs.jsonl > $(O)/0/training.jsonl
$(ROUNDS:%=$(O)/%/sampled.jsonl): $(O)/%/sampled.jsonl: $(PROMPTS) $$(before)/real.json
	@mkdir -p $(O)/$*
	$(REAL) sample --policy $(before) -n 2 --shard $*/$(SHARES) $(SAMPLE) $< -o $@
$(O)/%/aligned/real.json: $(O)/%/sampled.jsonl
	$(REAL) relabel implicit --policy $(before) --reference $(POLICY) $< -o $(O)/$*/labeled.jsonl
	$(REAL) pair --strategy best-worst $(O)/$*/labeled.jsonl -o $(O)/$*/pairs.jsonl
	$(REAL) train-dpo --policy $(before) $(TRAIN) -o $(O)/$*/aligned $(O)/$*/pairs.jsonl > $(O)/$*/training.jsonl
$(O)/eval.json: $(HELDOUT) $(O)/$(lastword $(ROUNDS))/aligned/real.json
	$(REAL) pair --strategy best-worst $< -o $(O)/heldout.jsonl
	$(REAL) eval margin --policy $(O)/$(lastword $(ROUNDS))/aligned --reference $(POLICY) $(O)/heldout.jsonl -o $@
check:
	mkdir -p check && head -n 4 $(PROMPTS) > check/few.jsonl && head -n 4 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl ROUNDS=1 SHARES=1 SEEDS=2 \
	  SAMPLE='--max-tokens 16' SEED='$(SEED) --max-steps 2 --batch-size 1' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2'
clean:; rm -rf $(O) check
