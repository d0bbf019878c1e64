# SELM: self-exploring language models. Zhang et al., 2024, arXiv:2405.19332, algorithm 1.
# Each round the policy's greedy answer joins the best and the worst response of its share of the prompts; best against
# worst of the three; DPO that also lowers the policy's likelihood of its own greedy answer (ALPHA): optimism.
# Departs: a reward model ranks in PairRM's place; the greedy answer, a response and the reference, is made twice, with
# the same text. Needs scored responses and SCORE; `make check` has the policy score. LR has a rate for each round, the
# last also for those after it; these are Phi-3's; Llama-3 has ALPHA = 0.0001.
REAL    = real
POLICY  = smollm2
ROUNDS  = 1 2 3
LR      = 5e-7 3e-7 1e-7
ALPHA   = 0.001
SAMPLE  = --max-tokens 1024
SCORE   = $(REAL) relabel reward --model OpenAssistant/reward-model-deberta-v3-large-v2
TRAIN   = --preset selm --alpha $(ALPHA)
PROMPTS = candidates.jsonl
HELDOUT = heldout.jsonl
ROWS    = 1000000
O       = run
before  = $(if $(filter 1,$*),$(POLICY),$(O)/$(word $*,0 $(ROUNDS))/aligned)
rate    = $(or $(word $*,$(LR)),$(lastword $(LR)))
.DELETE_ON_ERROR .SECONDARY .SECONDEXPANSION:
.PHONY: all check clean
all: $(ROUNDS:%=$(O)/%/aligned/real.json) $(O)/eval.json
$(ROUNDS:%=$(O)/%/sampled.jsonl): $(O)/%/sampled.jsonl: $(PROMPTS) $$(if $$(filter 1,$$*),,$$(before)/real.json)
	@mkdir -p $(O)/$*
	head -n $(ROWS) $< | $(REAL) pair --strategy best-worst -o $(@D)/2.jsonl
	$(REAL) sample -p $(before) --greedy --append --shard $*/$(words $(ROUNDS)) $(SAMPLE) $(@D)/2.jsonl -o $(@D)/3.jsonl
	$(REAL) sample -p $(before) --per-row-reference $(SAMPLE) $(@D)/3.jsonl -o $@
$(O)/%/pairs.jsonl: $(O)/%/sampled.jsonl
	$(SCORE) $< -o $(O)/$*/scored.jsonl
	$(REAL) pair --strategy best-worst --orient score $(O)/$*/scored.jsonl -o $@
$(O)/%/aligned/real.json: $(O)/%/pairs.jsonl
	$(REAL) train-dpo -p $(before) --learning-rate $(rate) $(TRAIN) -o $(O)/$*/aligned $< > $(O)/$*/training.jsonl
$(O)/eval.json: $(HELDOUT) $(O)/$(lastword $(ROUNDS))/aligned/real.json
	head -n $(ROWS) $< | $(REAL) pair --strategy best-worst -o $(O)/heldout.jsonl
	$(REAL) eval margin --policy $(O)/$(lastword $(ROUNDS))/aligned --reference $(POLICY) $(O)/heldout.jsonl -o $@
check:
	$(MAKE) O=check ROWS=6 ROUNDS=1 SAMPLE='--max-tokens 16' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY) --contrast "Answer well." "Answer badly."'
clean:; rm -rf $(O) check
