# AEPO: annotation-efficient preference optimization
# Paper: Jinnai and Honda, 2024, arXiv:2405.13541; eq. 5
# Formulas: real-methods(7), section 21
# Does: has only two responses to each prompt scored: a pair that is representative and diverse
# Needs: responses; a reward model; peft
# Departures: all pairs are tried, instead of a local search; the adapter is on every linear layer
#
# SCORE is the annotator. `make check` scores with the policy itself. A large LAMBDA makes REAL's easy pair.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
ENCODER = minilm
LAMBDA  = 1.0
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
TRAIN   = --loss dpo --beta 0.1 --learning-rate 1e-6 --optimizer rmsprop --warmup 0.0167 --epochs 3 --batch-size 4 \
  --schedule linear --max-length 512 --lora --lora-rank 64 --lora-alpha 16
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
O       = run
.DELETE_ON_ERROR .PHONY: all check clean
all: $(O)/eval.json

$(O)/embedded.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) embed --model $(ENCODER) $< -o $@
$(O)/two.jsonl: $(O)/embedded.jsonl
	$(REAL) pair --strategy aepo --aepo-lambda $(LAMBDA) --orient none $< -o $@
$(O)/scored.jsonl: $(O)/two.jsonl
	$(SCORE) $< -o $@
$(O)/pairs.jsonl: $(O)/scored.jsonl
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@
check:
	mkdir -p check && head -n 6 $(PROMPTS) > check/few.jsonl && head -n 6 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly, at length."'
clean:
	rm -rf $(O) check
