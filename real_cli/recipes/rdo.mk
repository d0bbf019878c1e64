# RDO: reward difference optimization
# Paper: Wang et al., 2024, arXiv:2408.09385; L = -R log sigmoid(beta h)
# Formulas: real-methods(7), section 4
# Does: weights each pair's loss by how much better a reward model finds the chosen response
# Needs: responses; a reward model
# Departures: pairs whose label the reward model contradicts get weight 0 and are counted; weights are scaled to mean
#   1; rate and batch are ours; the paper's difference model, which reads both responses at once, is not trained
#
# `make check` scores with the policy itself. With a difference model: SCORE = ... --pairwise and WEIGHT = --expression
# margin.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
MODEL  ?= $(if $(ENDPOINT),,OpenAssistant/reward-model-deberta-v3-large-v2)
SCORE   = $(if $(ENDPOINT),$(judge),$(REAL) relabel reward --model $(MODEL)$(device))
WEIGHT  = --by reward-difference
TRAIN   = --loss dpo --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
reads   = scored
held    = $(held-as-it-is)
CHECK   = FIRST=12 TRAIN='$(TRAIN) --max-steps 2 --batch-size 12'
include project.mk

$(O)/pairs.jsonl: $(train)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/scored.jsonl: $(O)/pairs.jsonl
	$(SCORE) $< -o $@
$(O)/weighted.jsonl: $(O)/scored.jsonl
	$(REAL) relabel weight $(WEIGHT) $< -o $@
$(O)/aligned/real.json: $(O)/weighted.jsonl
	$(REAL) train-dpo --policy $(POLICY) --weight-field weight $(TRAIN)$(extra) -o $(O)/aligned $< \
	  $(log) $(O)/training.jsonl
