# DRIFT: learning from user dissatisfaction
# Paper: Wang et al., 2025, arXiv:2510.02341; section 3
# Formulas: real-methods(7), section 13
# Does: pairs replies that users complained about, as rejected, with the policy's answers in sight of the complaint, in
#   rounds
# Needs: conversations; a judge behind an endpoint, or a list of phrases
# Departures: the prompts of judge and sampler are ours, and go through the chat template; prompts are never cut, so
#   that no complaint is lost; the batch is that of one GPU
#
# Seeds, complaints that a later reply satisfied, warm up the policy. Nobody checks that chosen is better, as in the
# paper. `make check` finds complaints by phrases.
POLICY   ?= smollm2
DATA     ?= dialogues.jsonl
ROUNDS    = 1 2
ENDPOINT ?= http://localhost:8000/v1
MODEL    ?= gpt-4o
JUDGE     = $(asks)
SAMPLE    = --temperature 0.7 --top-p 0.9 --max-tokens 512
SEED      = --epochs 3
TRAIN     = --preset drift
before    = $(O)/$(word $*,0 $(ROUNDS))/aligned
final     = $(O)/$(lastword $(ROUNDS))/aligned
reads     = conversations
held      = $(O)/split/$(if $(share),improved-)heldout.jsonl
CHECK     = ROUNDS=1 JUDGE=--lexical SAMPLE='$(SAMPLE) --max-tokens 16'
include project.mk
.SECONDEXPANSION:
all: $(ROUNDS:%=$(O)/%/aligned/real.json)
$(O)/complaints.jsonl $(O)/seeds.jsonl: $(train)
	$(REAL) relabel dsat $(JUDGE) $(if $(filter %/seeds.jsonl,$@),--seeds) $< -o $@
$(O)/seeds.jsonl: | $(O)/complaints.jsonl
$(O)/0/aligned/real.json: $(O)/seeds.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN) $(SEED)$(extra) -o $(O)/0/aligned $< $(log) $(O)/training.jsonl
$(ROUNDS:%=$(O)/%/pairs.jsonl): $(O)/%/pairs.jsonl: $(O)/complaints.jsonl $$(before)/real.json
	@mkdir -p $(O)/$*
	$(SERVED)$(REAL) sample --policy $(before) --improve $(SAMPLE)$(here) $< -o $@
$(O)/%/aligned/real.json: $(O)/%/pairs.jsonl
	$(REAL) train-dpo --policy $(before) $(TRAIN)$(extra) -o $(O)/$*/aligned $< $(log) $(O)/$*/training.jsonl
$(O)/split/improved-heldout.jsonl: $(O)/split/heldout.jsonl
	$(REAL) relabel dsat $(JUDGE) $< -o $(O)/split/complaints.jsonl
	$(SERVED)$(REAL) sample --policy $(POLICY) --improve $(SAMPLE)$(here) $(O)/split/complaints.jsonl -o $@
