# SPO: self-supervised preference optimization
# Paper: Li et al., 2024, arXiv:2409.17791; L = L_DPO + gamma L_degree
# Formulas: real-methods(7), section 3
# Does: trains a head to tell how many key words a response has lost, alongside DPO
# Needs: scored responses
# Departures: only the form of the sum is published, in the abstract, and no code: the extractor (RAKE), degrees,
#   shares, gamma, the head's place, rate and batch are ours
#
# A response too short to lose a word makes no pair.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
GAMMA   = 0.1
LEVELS  = 4
DROP    = 0.2
TRAIN   = --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
include project.mk

$(O)/pairs.jsonl: $(scored)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/degraded.jsonl: $(O)/pairs.jsonl
	$(REAL) relabel degrade --levels $(LEVELS) --drop $(DROP) $< -o $@
$(O)/aligned/real.json: $(O)/degraded.jsonl
	$(REAL) train-dpo --policy $(POLICY) --loss spo --alpha $(GAMMA) --levels $(LEVELS) $(TRAIN)$(extra) \
	  -o $(O)/aligned $< $(log) $(O)/training.jsonl
