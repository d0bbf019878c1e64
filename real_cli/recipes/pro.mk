# PRO: preference ranking optimization
# Paper: Song et al., 2023, arXiv:2306.17492; eq. 7
# Formulas: real-methods(7), section 10
# Does: trains each response of a ranking to beat all below it, without a reference
# Needs: responses; a reward model
# Departures: rewards are used as they are, whatever their size; the code's block of 512 limits prompt and response
#   together; every token of a response counts, the first and the end included
#
# `make check` scores with the policy itself.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
WEIGHT  = 0.05
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
TRAIN   = --preset pro
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
O       = run

.DELETE_ON_ERROR:
.PHONY: all check clean
all: $(O)/eval.json

$(O)/scored.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(SCORE) $< -o $@
$(O)/ranked.jsonl: $(O)/scored.jsonl
	$(REAL) pair --emit ranking $< -o $@
$(O)/aligned/real.json: $(O)/ranked.jsonl
	$(REAL) train-dpo --policy $(POLICY) --alpha $(WEIGHT) $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@

check:
	mkdir -p check && head -n 6 $(PROMPTS) > check/few.jsonl && head -n 6 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly, at length."'
clean:
	rm -rf $(O) check
