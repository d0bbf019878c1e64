# UltraFeedback
# Paper: Cui et al., 2023, arXiv:2310.01377; section 2
# Formulas: real-methods(7), section 11
# Does: samples answers under principles drawn by weight, has a judge rate four aspects, and pairs the best answer with
#   another
# Needs: prompts; a judge behind an endpoint
# Departures: the judge's prompts are ours, without the blocks of world knowledge; the critique is not shown the
#   principle; answers are not cut at four newlines; one mix of principles serves all prompts; pairs follow the mean of
#   the aspects, not the overall score; DPO's settings are ours, since the paper trains reward models only
#
# Overall scores of 10 that the aspects contradict are repaired. POOL: of 17 models the paper drew 4 a prompt. `make
# check` scores with the policy itself.
POLICY    ?= smollm2
DATA      ?= prompts.jsonl
POOL       = --policy $(POLICY) -n 4
SAMPLE     = --temperature 1 --top-p 1 --max-tokens 1024
PRINCIPLES = principles.jsonl
ENDPOINT  ?= http://localhost:8000/v1
MODEL     ?= gpt-4
SCORE      = $(REAL) relabel judge --rubric ultrafeedback $(asks)
TRAIN      = --loss dpo --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
reads      = prompts
held       = $(held-answered)
CHECK      = FIRST=4 SAMPLE='--max-tokens 16'
include project.mk

$(O)/sampled.jsonl: $(prompts) $(PRINCIPLES)
	$(SERVED)$(REAL) sample $(POOL) --principles $(PRINCIPLES) $(SAMPLE)$(here) $< -o $@
$(O)/rated.jsonl: $(O)/sampled.jsonl
	$(SCORE) $< -o $@
$(O)/pairs.jsonl: $(O)/rated.jsonl
	$(REAL) pair --strategy best-random $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN)$(extra) -o $(O)/aligned $< $(log) $(O)/training.jsonl
