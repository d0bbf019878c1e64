# SALSA: soup-based alignment
# Paper: Chegini et al., 2024, arXiv:2411.01798; reference = a SFT_1 + (1 - a) SFT_2
# Formulas: real-methods(7), section 15
# Does: compares the policy with the average of two fine-tuned models
# Needs: scored responses; room for four models
# Departures: DPO instead of PPO; the chosen responses serve as demonstrations; settings are ours
#
# Training against a soup does not start at a loss of ln 2.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
SEEDS   = 1 2
WEIGHTS = 0.5,0.5
SFT     = --learning-rate 1e-5 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
TRAIN   = --loss dpo --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
base    = $(O)/sft-$(firstword $(SEEDS))
CHECK   = FIRST=8 SFT='$(SFT) --max-steps 2 --batch-size 2'
include project.mk

$(O)/pairs.jsonl: $(scored)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/sft-%/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) --loss sft --seed $* $(SFT)$(extra) -o $(@D) $< $(log) $(@D).jsonl
$(O)/soup/real.json: $(SEEDS:%=$(O)/sft-%/real.json)
	rm -rf $(@D)
	$(REAL) soup $(^D) --weights $(WEIGHTS) -o $(@D) > $(@D).json
$(O)/aligned/real.json: $(O)/pairs.jsonl $(O)/soup/real.json
	$(REAL) train-dpo --policy $(base) --reference $(O)/soup $(TRAIN)$(extra) -o $(@D) $< $(log) $(O)/training.jsonl
