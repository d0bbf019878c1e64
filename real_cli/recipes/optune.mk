# OPTune: efficient online preference tuning
# Paper: Chen et al., 2024, arXiv:2406.07657; section 3
# Formulas: real-methods(7), section 6
# Does: resamples only the prompts whose best response scores lowest, and weights pairs by their score gap, in rounds
# Needs: responses; a reward model
# Departures: the weight is sigmoid(gap), since the paper's is unverified; old responses are kept and rescored every
#   round; a prompt is resampled at most 3 times; the share is ours; settings are those of a third-party summary
#
# RHO is the share of prompts that is resampled. `make check` scores with the policy itself.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
ROUNDS  = 1 2 3
RHO     = 50%
SAMPLE  = -n 4 --temperature 1 --top-p 0.9 --max-tokens 512
MODEL  ?= $(if $(ENDPOINT),,OpenAssistant/reward-model-deberta-v3-large-v2)
SCORE   = $(if $(ENDPOINT),$(judge),$(REAL) relabel reward --model $(MODEL)$(device))
TRAIN   = --weight-field weight --beta 0.1 --learning-rate 5e-7 --optimizer rmsprop --warmup 0.1 --batch-size 128
last    = $(O)/$(word $*,0 $(ROUNDS))
model   = $(if $(filter 1,$*),,$(last)/aligned/real.json)
before  = $(if $(model),$(last)/aligned,$(POLICY))
final   = $(O)/$(lastword $(ROUNDS))/aligned
reads   = responses
held    = $(held-rated)
CHECK   = FIRST=4 ROUNDS=1 SAMPLE='-n 2 --max-tokens 16'
include project.mk
.SECONDEXPANSION:
all: $(ROUNDS:%=$(O)/%/aligned/real.json)
$(O)/0/scored.jsonl: $(train)
	@mkdir -p $(@D)
	$(SCORE) $< -o $@
$(ROUNDS:%=$(O)/%/scored.jsonl): $(O)/%/scored.jsonl: $$(last)/scored.jsonl $$(model)
	@mkdir -p $(@D)
	$(SERVED)$(REAL) sample --policy $(before) --lowest-score $(RHO) --max-retries 3 $(SAMPLE)$(here) $< \
	  -o $(@D)/sampled.jsonl
	$(SCORE) $(@D)/sampled.jsonl -o $@
$(O)/%/aligned/real.json: $(O)/%/scored.jsonl
	$(REAL) pair --strategy best-worst $< -o $(O)/$*/pairs.jsonl
	$(REAL) relabel weight --by gap-utility $(O)/$*/pairs.jsonl -o $(O)/$*/weighted.jsonl
	$(REAL) train-dpo --policy $(before) $(TRAIN)$(extra) -o $(O)/$*/aligned $(O)/$*/weighted.jsonl \
	  $(log) $(O)/$*/training.jsonl
