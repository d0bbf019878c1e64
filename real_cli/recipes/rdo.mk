# RDO: reward difference optimization
# Paper: Wang et al., 2024, arXiv:2408.09385; L = -R log sigmoid(beta h)
# Formulas: real-methods(7), section 4
# Does: weights each pair's loss by how much better a reward model finds the chosen response
# Needs: responses; a reward model
# Departures: pairs whose label the reward model contradicts get weight 0 and are counted; weights are scaled to mean
#   1; rate and batch are ours; the paper's difference model, which reads both responses at once, is not trained
#
# `make check` scores with the policy itself. With a difference model: SCORE = ... --pairwise and WEIGHT = --expression
# margin.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
WEIGHT  = --by reward-difference
TRAIN   = --loss dpo --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
O       = run

.DELETE_ON_ERROR .PHONY: all check clean
all: $(O)/eval.json

$(O)/pairs.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/scored.jsonl: $(O)/pairs.jsonl
	$(SCORE) $< -o $@
$(O)/weighted.jsonl: $(O)/scored.jsonl
	$(REAL) relabel weight $(WEIGHT) $< -o $@
$(O)/aligned/real.json: $(O)/weighted.jsonl
	$(REAL) train-dpo --policy $(POLICY) --weight-field weight $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@

check:
	mkdir -p check && head -n 12 $(PROMPTS) > check/few.jsonl && head -n 12 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl TRAIN='$(TRAIN) --max-steps 2 --batch-size 12' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly, at length."'
clean:
	rm -rf $(O) check
