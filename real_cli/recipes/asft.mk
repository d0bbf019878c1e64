# ASFT: aligned supervised fine-tuning
# Paper: Wang et al., 2024, arXiv:2409.10571; CE(chosen) + alpha (-log p(chosen) - log(1 - p(rejected)))
# Formulas: real-methods(7), section 17
# Does: imitates the chosen response and unlearns the rejected one, each by its own likelihood, without a reference
# Needs: scored responses
# Departures: p is the mean token's probability, since a whole response's is 0 in any number format; alpha, rate and
#   batch are ours, the paper's being unverified
POLICY ?= smollm2
DATA   ?= candidates.jsonl
ALPHA   = 1.0
TRAIN   = --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
include project.mk

$(O)/pairs.jsonl: $(scored)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) --loss asft --alpha $(ALPHA) $(TRAIN)$(extra) -o $(O)/aligned $< \
	  $(log) $(O)/training.jsonl
