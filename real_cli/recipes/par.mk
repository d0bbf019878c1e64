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
POLICY ?= smollm2
DATA   ?= prompts.jsonl
M       = 10
SAMPLE  = --temperature 0.9 --top-p 0.9 --top-k 50 --max-tokens 512
MODEL  ?= $(if $(ENDPOINT),,OpenAssistant/reward-model-deberta-v3-large-v2)
SCORE   = $(if $(ENDPOINT),$(judge),$(REAL) relabel reward --model $(MODEL)$(device))
SHAPE   = $(REAL) relabel winprob --temperature 1
GAIN    = prob_chosen - prob_rejected
TRAIN   = --loss dpo --weight-field weight --beta 0.1 --learning-rate 5e-7 --schedule cosine --batch-size 32
reads   = prompts
held    = $(held-answered)
CHECK   = FIRST=4 M=4 SAMPLE='$(SAMPLE) --max-tokens 16'
include project.mk

$(O)/sampled.jsonl: $(prompts)
	$(SERVED)$(REAL) sample --policy $(POLICY) -n $(M) $(SAMPLE)$(here) $< -o $@
$(O)/scored.jsonl: $(O)/sampled.jsonl
	$(SCORE) $< -o $@
$(O)/shaped.jsonl: $(O)/scored.jsonl
	$(SHAPE) $< -o $@
$(O)/pairs.jsonl: $(O)/shaped.jsonl
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) relabel weight --expression '$(GAIN)' $< -o $(O)/weighted.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN)$(extra) -o $(O)/aligned $(O)/weighted.jsonl \
	  $(log) $(O)/training.jsonl
