# PRO: preference ranking optimization. Song et al., 2023, arXiv:2306.17492; L = sum over k < n of
# -log( exp(s_k T_k) / (exp(s_k T_k) + sum over j > k of exp(s_j T_kj)) ) + w (n-1)^2 NLL(best), T_kj = r_k - r_j, T_k
# the largest of these, s_k the mean log-probability of a token. All responses of a prompt are ranked by a reward model;
# each in turn shall beat all below it, without a reference. Departs: rewards of any size are taken as they are; the
# code's block of 512 is the most tokens of prompt and response; every token of a response counts, its first and its
# end. Needs responses and SCORE, a reward model; `make check` has the policy itself score.
SHELL  := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL    = real
POLICY  = smollm2
WEIGHT  = 0.05
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
TRAIN   = --preset pro
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
O       = run

.DELETE_ON_ERROR:
.PHONY: all check clean
all: $(O)/eval.json

$(O)/scored.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(SCORE) $< -o $@
$(O)/ranked.jsonl: $(O)/scored.jsonl
	$(REAL) pair --emit ranking $< -o $@
$(O)/aligned/real.json: $(O)/ranked.jsonl
	$(REAL) train-dpo --policy $(POLICY) --alpha $(WEIGHT) $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
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
