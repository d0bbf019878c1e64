# UltraFeedback
# Paper: Cui et al., 2023, arXiv:2310.01377; section 2
# Formulas: real-methods(7), section 11
# Does: samples answers under principles drawn by weight, has a judge rate four aspects, and pairs the best answer with
#   another
# Needs: prompts; a judge behind an endpoint
# Departures: the judge's prompts are ours, without the blocks of world knowledge; the critique is not shown the
#   principle; answers are not cut at four newlines; one mix of principles serves all prompts; pairs follow the mean of
#   the aspects, not the overall score; DPO's settings are ours, since the paper trains reward models only
#
# Overall scores of 10 that the aspects contradict are repaired. POOL: of 17 models the paper drew 4 a prompt. `make
# check` scores with the policy itself.
SHELL     := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL       = real
POLICY     = smollm2
POOL       = --policy $(POLICY) -n 4
SAMPLE     = --temperature 1 --top-p 1 --max-tokens 1024
PRINCIPLES = principles.jsonl
SCORE      = $(REAL) relabel judge --rubric ultrafeedback --endpoint http://localhost:8000/v1 --model gpt-4
TRAIN      = --loss dpo --beta 0.1 --learning-rate 5e-7 --schedule cosine --warmup 0.1 --epochs 1 --batch-size 32
PROMPTS    = prompts.jsonl
HELDOUT    = heldout.jsonl
O          = run
.DELETE_ON_ERROR .PHONY: all check clean
all: $(O)/eval.json
$(O)/sampled.jsonl: $(PROMPTS) $(PRINCIPLES)
	@mkdir -p $(O)
	$(REAL) sample $(POOL) --principles $(PRINCIPLES) $(SAMPLE) $< -o $@
$(O)/rated.jsonl: $(O)/sampled.jsonl
	$(SCORE) $< -o $@
$(O)/pairs.jsonl: $(O)/rated.jsonl
	$(REAL) pair --strategy best-random $< -o $@
$(O)/aligned/real.json: $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@
check:
	mkdir -p check && head -n 4 $(PROMPTS) > check/few.jsonl && head -n 4 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl \
	  SAMPLE='--max-tokens 16' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly, at length."'
clean:; rm -rf $(O) check
