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
SHELL    := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL      = real
POLICY    = smollm2
REFERENCE = previous
TRAIN     = --loss dpo --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
PROMPTS   = candidates.jsonl
HELDOUT   = heldout.jsonl
O         = run

.DELETE_ON_ERROR:
.PHONY: all check clean
all: $(O)/eval.json

$(O)/stages.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-vs-rest --curriculum $< -o $@
$(O)/aligned/real.json: $(O)/stages.jsonl
	$(REAL) train-dpo --policy $(POLICY) --stages --stage-reference $(REFERENCE) $(TRAIN) -o $(O)/aligned $< \
	  > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@

check:
	mkdir -p check && head -n 2 $(PROMPTS) > check/few.jsonl && head -n 4 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl TRAIN='$(TRAIN) --max-steps 2 --batch-size 1'
clean:
	rm -rf $(O) check
