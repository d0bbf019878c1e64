# ASFT: aligned supervised fine-tuning
# Paper: Wang et al., 2024, arXiv:2409.10571; CE(chosen) + alpha (-log p(chosen) - log(1 - p(rejected)))
# Formulas: real-methods(7), section 17
# Does: imitates the chosen response and unlearns the rejected one, each by its own likelihood, without a reference
# Needs: scored responses
# Departures: p is the mean token's probability, since a whole response's is 0 in any number format; alpha, rate and
#   batch are ours, the paper's being unverified
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
ALPHA   = 1.0
TRAIN   = --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
O       = run

.DELETE_ON_ERROR:
.PHONY: all check clean
all: $(O)/eval.json

$(O)/pairs.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) --loss asft --alpha $(ALPHA) $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@

check:
	mkdir -p check && head -n 6 $(PROMPTS) > check/few.jsonl && head -n 6 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl TRAIN='$(TRAIN) --max-steps 2 --batch-size 2'
clean:
	rm -rf $(O) check
