# PAR: preference as reward
# Paper: Fu et al., 2025, arXiv:2502.18770; section 4
# Formulas: real-methods(7), section 16
# Does: replaces each reward by the mean probability of beating the policy's own reference responses
# Needs: prompts; a reward model
# Departures: DPO weighted by the gap between the best and the worst shaped reward, instead of PPO; the SFT model's
#   samples are one another's references; no length penalty, which the paper's code has
#
# PAR is then the mean probability of winning (a response's own part is 1/2). Where records have 'reference_scores',
# use real relabel shape. `make check` scores with the policy itself.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
M       = 10
SAMPLE  = --temperature 0.9 --top-p 0.9 --top-k 50 --max-tokens 512
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
SHAPE   = $(REAL) relabel winprob --temperature 1
GAIN    = prob_chosen - prob_rejected
TRAIN   = --loss dpo --weight-field weight --beta 0.1 --learning-rate 5e-7 --schedule cosine --batch-size 32
PROMPTS = prompts.jsonl
HELDOUT = heldout.jsonl
O       = run
.DELETE_ON_ERROR .PHONY: all check clean
all: $(O)/eval.json
$(O)/sampled.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) sample --policy $(POLICY) -n $(M) $(SAMPLE) $< -o $@
$(O)/scored.jsonl: $(O)/sampled.jsonl
	$(SCORE) $< -o $@
$(O)/shaped.jsonl: $(O)/scored.jsonl
	$(SHAPE) $< -o $@
$(O)/pairs.jsonl: $(O)/shaped.jsonl
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) relabel weight --expression '$(GAIN)' $< -o $(O)/weighted.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN) -o $(O)/aligned $(O)/weighted.jsonl > $(O)/training.jsonl
$(O)/eval.json: $(HELDOUT) $(O)/aligned/real.json
	$(REAL) pair --strategy best-worst $< -o $(O)/heldout.jsonl
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $(O)/heldout.jsonl -o $@
check:; mkdir -p check && head -n 4 $(PROMPTS) > check/few.jsonl && head -n 4 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl \
	  M=4 SAMPLE='$(SAMPLE) --max-tokens 16' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly."'
clean:; rm -rf $(O) check
