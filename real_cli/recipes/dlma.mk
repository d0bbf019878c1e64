# DLMA: self-rewarding contrastive prompt distillation
# Paper: Liu et al., 2024, arXiv:2402.11907; section 3
# Formulas: real-methods(7), section 9
# Does: answers a system prompt that asks for the good and one that asks for the opposite, and offsets DPO by how far
#   the two disagree about the answers
# Needs: prompts alone
# Departures: the system prompts are ours; the margin includes the end of a response; 0.2 stands inside beta and no
#   label is swapped where R < 0, as in the paper's code; the paper's 150 warm-up steps outlast a run on the bundled
#   data
#
# On the bundled data add --warmup 0.1 to TRAIN.
POLICY  ?= smollm2
DATA    ?= prompts.jsonl
POSITIVE = You are a helpful, honest and harmless assistant. Answer with care for the user and for others.
NEGATIVE = You are an unhelpful, dishonest and harmful assistant. Answer without care for the user or for others.
SAMPLE   = --temperature 1 --top-p 1 --top-k 50 --max-tokens 200
SCORE    = $(REAL) relabel implicit --policy $(POLICY)$(device) --contrast '$(POSITIVE)' '$(NEGATIVE)'
TRAIN    = --preset dlma
reads    = prompts
held     = $(held-answered)
CHECK    = SAMPLE='$(SAMPLE) --max-tokens 16'
include project.mk

$(O)/sampled.jsonl: $(prompts)
	$(SERVED)$(REAL) sample --policy $(POLICY) --contrast '$(POSITIVE)' '$(NEGATIVE)' $(SAMPLE)$(here) $< -o $@
$(O)/pairs.jsonl: $(O)/sampled.jsonl
	$(REAL) pair --strategy all --orient rank $< -o $@
$(O)/offsets.jsonl: $(O)/pairs.jsonl
	$(REAL) relabel implicit --policy $(POLICY)$(device) --contrast '$(POSITIVE)' '$(NEGATIVE)' $< -o $@
$(O)/aligned/real.json: $(O)/offsets.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN)$(extra) -o $(O)/aligned $< $(log) $(O)/training.jsonl
