# Curry-DPO
# Paper: Pattnaik et al., 2024, arXiv:2403.07230; section 3
# Formulas: real-methods(7), section 19
# Does: pairs the best response with every other one and trains in stages, widest score gap first
# Needs: scored responses
# Departures: as many stages as a prompt has responses below its best, where the paper has three; equal scores make no
#   pair; rate, schedule and batch are ours
#
# Each stage continues from the model of the last. REFERENCE = previous compares it with the policy at the start of the
# stage, initial with the policy before training.
POLICY   ?= smollm2
DATA     ?= candidates.jsonl
REFERENCE = previous
TRAIN     = --loss dpo --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
CHECK     = FIRST=4 TRAIN='$(TRAIN) --max-steps 2 --batch-size 1'
include project.mk

$(O)/stages.jsonl: $(scored)
	$(REAL) pair --strategy best-vs-rest --curriculum $< -o $@
$(O)/aligned/real.json: $(O)/stages.jsonl
	$(REAL) train-dpo --policy $(POLICY) --stages --stage-reference $(REFERENCE) $(TRAIN)$(extra) -o $(O)/aligned $< \
	  $(log) $(O)/training.jsonl
