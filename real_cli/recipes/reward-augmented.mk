# Reward-augmented relabeling
# Paper: Zhang et al., 2024, arXiv:2410.08067; section 4
# Formulas: real-methods(7), section 2
# Does: makes two pairs of each: one aims for the chosen score, the other, with labels swapped, for the rejected one
# Needs: scored responses
# Departures: the goal goes before the user's words or into a system message, as you choose; pairs whose chosen
#   response has the lower mean over the aspects are kept, and so are prompts that overlap with test sets; held-out
#   pairs aim for both scores, not only for the best
#
# When the trained model generates, ask for the best score. Qwen2 and Gemma-2 had label smoothing: TRAIN = --preset ra
# --loss cdpo --label-smoothing 0.3. UltraFeedback's scores go up to 10: change GOAL with the data.
SHELL    := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL      = real
POLICY    = smollm2
GOAL      = Aim for a response whose overall quality is {goal} out of 1.
PLACEMENT = user
TRAIN     = --preset ra
PROMPTS   = candidates.jsonl
HELDOUT   = heldout.jsonl
O         = run

.DELETE_ON_ERROR:
.PHONY: all check clean
all: $(O)/eval.json

$(O)/augmented-pairs.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-random $< -o $@
$(O)/heldout-pairs.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
# The held-out pairs aim at both scores too: a policy that ignores its goal is right about half of them.
$(O)/augmented.jsonl $(O)/heldout.jsonl: $(O)/%.jsonl: $(O)/%-pairs.jsonl
	$(REAL) relabel goal --template '$(GOAL)' --placement $(PLACEMENT) $< -o $@
$(O)/aligned/real.json: $(O)/augmented.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@

check:
	mkdir -p check && head -n 6 $(PROMPTS) > check/few.jsonl && head -n 6 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl TRAIN='$(TRAIN) --max-steps 2 --batch-size 2'
clean:
	rm -rf $(O) check
