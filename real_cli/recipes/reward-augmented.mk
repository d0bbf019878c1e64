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
POLICY   ?= smollm2
DATA     ?= candidates.jsonl
GOAL      = Aim for a response whose overall quality is {goal} out of 1.
PLACEMENT = user
TRAIN     = --preset ra
tested    = $(O)/augmented-heldout.jsonl
include project.mk

$(O)/pairs.jsonl: $(scored)
	$(REAL) pair --strategy best-random $< -o $@
# The held-out pairs aim at both scores too: a policy that ignores its goal is right about half of them.
$(O)/augmented-pairs.jsonl $(O)/augmented-heldout.jsonl: $(O)/augmented-%.jsonl: $(O)/%.jsonl
	$(REAL) relabel goal --template '$(GOAL)' --placement $(PLACEMENT) $< -o $@
$(O)/aligned/real.json: $(O)/augmented-pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN)$(extra) -o $(O)/aligned $< $(log) $(O)/training.jsonl
