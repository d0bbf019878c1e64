# REAL: response-embedding-based alignment
# Paper: Zhang et al., 2024, arXiv:2409.17169; section 3
# Formulas: real-methods(7), section 1
# Does: compares the least similar responses to each prompt, and keeps the least similar half of the pairs
# Needs: scored responses, which the policy embeds
# Departures: labels are the scores in the data, read only after the choice; equal scores make no pair; POLICY embeds,
#   where the paper uses the model before SFT (name that as ENCODER); the cosine schedule ends with the run, not at
#   step 750
#
# KEEP halves HH's one pair a prompt; with several responses a prompt (SHP-2) take KEEP = 100%. STRATEGY: easy, hard,
# centroid, random.
SHELL   := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL     = real
POLICY   = smollm2
ENCODER  = $(POLICY)
STRATEGY = easy
KEEP     = 50%
TRAIN    = --preset real
PROMPTS  = candidates.jsonl
HELDOUT  = heldout.jsonl
O        = run

.DELETE_ON_ERROR:
.PHONY: all check clean
all: $(O)/eval.json

$(O)/embedded.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) embed --model $(ENCODER) --max-length 512 $< -o $@
$(O)/pairs.jsonl: $(O)/embedded.jsonl
	$(REAL) pair --strategy $(STRATEGY) --keep $(KEEP) $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@

check:
	mkdir -p check && head -n 16 $(PROMPTS) > check/few.jsonl && head -n 16 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl TRAIN='$(TRAIN) --max-steps 2 --batch-size 2'
clean:
	rm -rf $(O) check
