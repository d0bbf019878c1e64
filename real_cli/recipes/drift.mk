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
SHELL    := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL      = real
POLICY    = smollm2
ROUNDS    = 1 2
JUDGE     = --endpoint http://localhost:8000/v1 --model gpt-4o
SAMPLE    = --temperature 0.7 --top-p 0.9 --max-tokens 512
SEED      = --epochs 3
TRAIN     = --preset drift
DIALOGUES = dialogues.jsonl
HELDOUT   = heldout.jsonl
O         = run
before    = $(O)/$(word $*,0 $(ROUNDS))/aligned
.DELETE_ON_ERROR .SECONDEXPANSION .PHONY: all check clean
all: $(ROUNDS:%=$(O)/%/aligned/real.json) $(O)/eval.json
$(O)/complaints.jsonl $(O)/seeds.jsonl: $(DIALOGUES)
	@mkdir -p $(O)
	$(REAL) relabel dsat $(JUDGE) $(if $(filter %/seeds.jsonl,$@),--seeds) $< -o $@
$(O)/seeds.jsonl: | $(O)/complaints.jsonl
$(O)/0/aligned/real.json: $(O)/seeds.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN) $(SEED) -o $(O)/0/aligned $< > $(O)/training.jsonl
$(ROUNDS:%=$(O)/%/pairs.jsonl): $(O)/%/pairs.jsonl: $(O)/complaints.jsonl $$(before)/real.json
	@mkdir -p $(O)/$*
	$(REAL) sample --policy $(before) --improve $(SAMPLE) $< -o $@
$(O)/%/aligned/real.json: $(O)/%/pairs.jsonl
	$(REAL) train-dpo --policy $(before) $(TRAIN) -o $(O)/$*/aligned $< > $(O)/$*/training.jsonl
$(O)/eval.json: $(HELDOUT) $(O)/$(lastword $(ROUNDS))/aligned/real.json
	$(REAL) pair --strategy best-worst $< -o $(O)/heldout.jsonl
	$(REAL) eval margin --policy $(O)/$(lastword $(ROUNDS))/aligned --reference $(POLICY) $(O)/heldout.jsonl -o $@
check:
	mkdir -p check && head -n 6 $(DIALOGUES) > check/few.jsonl && head -n 6 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check DIALOGUES=check/few.jsonl HELDOUT=check/held.jsonl ROUNDS=1 JUDGE=--lexical \
	  SAMPLE='$(SAMPLE) --max-tokens 16' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2'
clean:; rm -rf $(O) check
