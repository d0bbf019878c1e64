# Ada-DPO: adaptive preference scaling
# Paper: Hong et al., 2024, arXiv:2406.02764; min over tau of -tau log sigmoid(beta h / tau) - rho tau
# Formulas: real-methods(7), section 7
# Does: gives each pair its own temperature: high for a clear pair, low for an ambiguous one
# Needs: scored responses; peft
# Departures: tau in closed form instead of five Newton steps; no 1e-6 inside the logarithm, which takes the gradient
#   from pairs ordered very wrongly; the adapter is on every linear layer
#
# RHO is ln 2 less the code's 0.1. run/tau.jsonl has each pair's temperature. A loss below 0 is no error: rho tau is
# subtracted.
POLICY ?= smollm2
DATA   ?= candidates.jsonl
BETA    = 0.1
RHO     = 0.5931
TAU_MIN = 0.1
TAU_MAX = 5
TRAIN   = --learning-rate 5e-5 --optimizer rmsprop --schedule linear --warmup 150 --epochs 1 --batch-size 32 \
  --max-length 512 --lora --lora-rank 64 --lora-alpha 16
include project.mk

$(O)/pairs.jsonl: $(scored)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) --loss ada-dpo --beta $(BETA) --rho $(RHO) --tau-min $(TAU_MIN) \
	  --tau-max $(TAU_MAX) $(TRAIN)$(extra) --dump $(O)/tau.jsonl -o $(O)/aligned $< $(log) $(O)/training.jsonl
