# AEPO: annotation-efficient preference optimization
# Paper: Jinnai and Honda, 2024, arXiv:2405.13541; eq. 5
# Formulas: real-methods(7), section 21
# Does: has only two responses to each prompt scored: a pair that is representative and diverse
# Needs: responses; a reward model; peft
# Departures: all pairs are tried, instead of a local search; the adapter is on every linear layer
#
# SCORE is the annotator. `make check` scores with the policy itself. A large LAMBDA makes REAL's easy pair.
POLICY  ?= smollm2
DATA    ?= candidates.jsonl
ENCODER ?= minilm
LAMBDA   = 1.0
MODEL   ?= $(if $(ENDPOINT),,OpenAssistant/reward-model-deberta-v3-large-v2)
SCORE    = $(if $(ENDPOINT),$(judge),$(REAL) relabel reward --model $(MODEL)$(device))
TRAIN    = --loss dpo --beta 0.1 --learning-rate 1e-6 --optimizer rmsprop --warmup 0.0167 --epochs 3 --batch-size 4 \
  --schedule linear --max-length 512 --lora --lora-rank 64 --lora-alpha 16
reads    = responses
held     = $(held-rated)
include project.mk

$(O)/embedded.jsonl: $(train)
	$(REAL) embed --model $(ENCODER)$(device) $< -o $@
$(O)/two.jsonl: $(O)/embedded.jsonl
	$(REAL) pair --strategy aepo --aepo-lambda $(LAMBDA) --orient none $< -o $@
$(O)/scored.jsonl: $(O)/two.jsonl
	$(SCORE) $< -o $@
$(O)/pairs.jsonl: $(O)/scored.jsonl
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN)$(extra) -o $(O)/aligned $< $(log) $(O)/training.jsonl
