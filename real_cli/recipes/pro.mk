# PRO: preference ranking optimization
# Paper: Song et al., 2023, arXiv:2306.17492; eq. 7
# Formulas: real-methods(7), section 10
# Does: trains each response of a ranking to beat all below it, without a reference
# Needs: responses; a reward model
# Departures: rewards are used as they are, whatever their size; the code's block of 512 limits prompt and response
#   together; every token of a response counts, the first and the end included
#
# `make check` scores with the policy itself.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
WEIGHT  = 0.05
MODEL  ?= $(if $(ENDPOINT),,OpenAssistant/reward-model-deberta-v3-large-v2)
SCORE   = $(if $(ENDPOINT),$(judge),$(REAL) relabel reward --model $(MODEL)$(device))
TRAIN   = --preset pro
reads   = responses
held    = $(held-rated)
include project.mk

$(O)/scored.jsonl: $(train)
	$(SCORE) $< -o $@
$(O)/ranked.jsonl: $(O)/scored.jsonl
	$(REAL) pair --emit ranking $< -o $@
$(O)/aligned/real.json: $(O)/ranked.jsonl
	$(REAL) train-dpo --policy $(POLICY) --alpha $(WEIGHT) $(TRAIN)$(extra) -o $(O)/aligned $< \
	  $(log) $(O)/training.jsonl
