# BMC: bridging and modeling correlations
# Paper: Jiang et al., 2024, arXiv:2408.07471; section 3
# Formulas: real-methods(7), section 5
# Does: has an editor turn the rejected response into a better one, and gives more weight to the tokens that differ
# Needs: scored responses; an editor behind an endpoint
# Departures: the editor's prompt is ours; the reference gets the policy's token weights, as in the paper's formula and
#   unlike its code
#
# A token that differs has weight lambda = 1 + min(1/p, DELTA), any other 1. --loss bmc-code is the paper's code. EDIT
# names the paper's editor; `make check` takes the best response for the edit of the worst. The paper's BETA and DELTA:
# 0.01 and 1.5 (Llama-3), 0.01 and 2.0 (Mistral), 0.05 and 2.5 (mathematics), 0.05 and 3.0 (questions).
POLICY   ?= smollm2
DATA     ?= candidates.jsonl
BETA      = 0.01
DELTA     = 1.5
EMIT      = pairs
ENDPOINT ?= https://api.openai.com/v1
MODEL    ?= gpt-4-0125-preview
KEY      ?= $(if $(findstring openai.com,$(ENDPOINT)),OPENAI_API_KEY)
EDIT      = $(asks)
TRAIN     = --preset bmc
reads     = scored
held      = $(held-as-it-is)
CHECK     = FIRST=8 EMIT=triples EDIT='--from reference'
include project.mk

$(O)/pairs.jsonl: $(train)
	$(REAL) pair --strategy best-worst --emit $(EMIT) $< -o $@
$(O)/bridged.jsonl: $(O)/pairs.jsonl
	$(REAL) relabel bridge $(EDIT) $< -o $@
$(O)/aligned/real.json: $(O)/bridged.jsonl
	$(REAL) train-dpo --policy $(POLICY) --beta $(BETA) --delta $(DELTA) $(TRAIN)$(extra) -o $(O)/aligned $< \
	  $(log) $(O)/training.jsonl
