# OPTune: efficient online preference tuning
# Paper: Chen et al., 2024, arXiv:2406.07657; section 3
# Formulas: real-methods(7), section 6
# Does: resamples only the prompts whose best response scores lowest, and weights pairs by their score gap, in rounds
# Needs: responses; a reward model
# Departures: the weight is sigmoid(gap), since the paper's is unverified; old responses are kept and rescored every
#   round; a prompt is resampled at most 3 times; the share is ours; settings are those of a third-party summary
#
# RHO is the share of prompts that is resampled. `make check` scores with the policy itself.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
ROUNDS  = 1 2 3
RHO     = 50%
SAMPLE  = -n 4 --temperature 1 --top-p 0.9 --max-tokens 512
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
TRAIN   = --weight-field weight --beta 0.1 --learning-rate 5e-7 --optimizer rmsprop --warmup 0.1 --batch-size 128
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
O       = run
last    = $(O)/$(word $*,0 $(ROUNDS))
model   = $(if $(filter 1,$*),,$(last)/aligned/real.json)
before  = $(if $(model),$(last)/aligned,$(POLICY))
.DELETE_ON_ERROR .SECONDEXPANSION .PHONY: all check clean
all: $(ROUNDS:%=$(O)/%/aligned/real.json) $(O)/eval.json
$(O)/0/scored.jsonl: $(PROMPTS)
	@mkdir -p $(@D)
	$(SCORE) $< -o $@
$(ROUNDS:%=$(O)/%/scored.jsonl): $(O)/%/scored.jsonl: $$(last)/scored.jsonl $$(model)
	@mkdir -p $(@D)
	$(REAL) sample --policy $(before) --lowest-score $(RHO) --max-retries 3 $(SAMPLE) $< -o $(@D)/sampled.jsonl
	$(SCORE) $(@D)/sampled.jsonl -o $@
$(O)/%/aligned/real.json: $(O)/%/scored.jsonl
	$(REAL) pair --strategy best-worst $< -o $(O)/$*/pairs.jsonl
	$(REAL) relabel weight --by gap-utility $(O)/$*/pairs.jsonl -o $(O)/$*/weighted.jsonl
	$(REAL) train-dpo --policy $(before) $(TRAIN) -o $(O)/$*/aligned $(O)/$*/weighted.jsonl > $(O)/$*/training.jsonl
$(O)/eval.json: $(HELDOUT) $(O)/$(lastword $(ROUNDS))/aligned/real.json
	$(REAL) pair --strategy best-worst $< -o $(O)/heldout.jsonl
	$(REAL) eval margin --policy $(O)/$(lastword $(ROUNDS))/aligned --reference $(POLICY) $(O)/heldout.jsonl -o $@
check:; mkdir -p check && head -n 4 $(PROMPTS) > check/few.jsonl && head -n 4 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl \
	  ROUNDS=1 SAMPLE='-n 2 --max-tokens 16' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly."'
clean:; rm -rf $(O) check
