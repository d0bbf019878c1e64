# SALSA: soup-based alignment
# Paper: Chegini et al., 2024, arXiv:2411.01798; reference = a SFT_1 + (1 - a) SFT_2
# Formulas: real-methods(7), section 15
# Does: compares the policy with the average of two fine-tuned models
# Needs: scored responses; room for four models
# Departures: DPO instead of PPO; the chosen responses serve as demonstrations; settings are ours
#
# Training against a soup does not start at a loss of ln 2.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
SEEDS   = 1 2
FIRST   = $(O)/sft-$(firstword $(SEEDS))
WEIGHTS = 0.5,0.5
SFT     = --learning-rate 1e-5 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
TRAIN   = --loss dpo --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
O       = run
.DELETE_ON_ERROR .PHONY: all check clean
all: $(O)/eval.json

$(O)/pairs.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/sft-%/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) --loss sft --seed $* $(SFT) -o $(@D) $< > $(@D).jsonl
$(O)/soup/real.json: $(SEEDS:%=$(O)/sft-%/real.json)
	rm -rf $(@D)
	$(REAL) soup $(^D) --weights $(WEIGHTS) -o $(@D) > $(@D).json
$(O)/aligned/real.json: $(O)/pairs.jsonl $(O)/soup/real.json
	$(REAL) train-dpo --policy $(FIRST) --reference $(O)/soup $(TRAIN) -o $(@D) $< > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(FIRST) $< -o $@

check:
	mkdir -p check && head -n 8 $(PROMPTS) > check/few.jsonl && head -n 8 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl \
	  SFT='$(SFT) --max-steps 2 --batch-size 2' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2'
clean:
	rm -rf $(O) check
