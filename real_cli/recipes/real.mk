# REAL: response-embedding-based alignment
# Paper: Zhang et al., 2024, arXiv:2409.17169; section 3
# Formulas: real-methods(7), section 1
# Does: compares the least similar responses to each prompt, and keeps the least similar half of the pairs
# Needs: scored responses, which the policy embeds
# Departures: labels are the scores in the data, read only after the choice; equal scores make no pair; POLICY embeds,
#   where the paper uses the model before SFT (name that as ENCODER); the cosine schedule ends with the run, not at
#   step 750
#
# KEEP halves the pairs before they are labeled. Pairs in DATA that have labels are all kept, unless a judge at ENDPOINT
# labels them anew; the paper halves HH, which has labels, too: KEEP = 50%. With several responses a prompt (SHP-2) take
# KEEP = 100%. STRATEGY: easy, hard, centroid, random.
POLICY  ?= smollm2
DATA    ?= candidates.jsonl
ENCODER ?= $(POLICY)
STRATEGY = easy
KEEP     = $(if $(labeled),100%,50%)
TRAIN    = --preset real
CHECK    = FIRST=16
include project.mk

$(O)/embedded.jsonl: $(train)
	$(REAL) embed --model $(ENCODER) --max-length 512$(device) $< -o $@
$(O)/chosen.jsonl: $(O)/embedded.jsonl
	$(REAL) pair --strategy $(STRATEGY) --keep $(KEEP)$(if $(ENDPOINT), --orient none) $< -o $@
$(O)/judged.jsonl: $(O)/chosen.jsonl
	$(REAL) relabel judge $(asks) $< -o $@
$(O)/aligned/real.json: $(O)/$(if $(ENDPOINT),judged,chosen).jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN)$(extra) -o $(O)/aligned $< $(log) $(O)/training.jsonl
