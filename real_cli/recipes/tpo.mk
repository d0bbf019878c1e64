# TPO: triple preference optimization
# Paper: Saeidi et al., 2024, arXiv:2405.16681; -log sigmoid(beta (lp(chosen) - lp(rejected))) + alpha CE(best)
# Formulas: real-methods(7), section 14
# Does: imitates the best response and trains the second to beat the worst, without a reference
# Needs: at least three scored responses a prompt
# Departures: 1024 tokens for prompt and response together, and no limit on the prompt alone; the paper limits it to
#   512, and its code, with the two swapped, limits both together to 512; the batch is that of one GPU
#
# BETA and ALPHA are the README's; the code's script has 0.1 and 0.5. TPO-L compares means a token: TRAIN = --preset
# tpo --loss tpo-l --gamma 0.5 with BETA = 2, which is ours.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
BETA    = 0.2
ALPHA   = 0.9
TRAIN   = --preset tpo
reads   = $(if $(ENDPOINT),responses,triples)
include project.mk

$(O)/triples.jsonl: $(scored)
	$(REAL) pair --strategy best-worst --emit triples $< -o $@
$(O)/aligned/real.json: $(O)/triples.jsonl
	$(REAL) train-dpo --policy $(POLICY) --beta $(BETA) --alpha $(ALPHA) $(TRAIN)$(extra) -o $(O)/aligned $< \
	  $(log) $(O)/training.jsonl
