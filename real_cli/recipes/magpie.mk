# Magpie
# Paper: Xu et al., 2024, arXiv:2406.08464; section 2
# Formulas: real-methods(7), section 20
# Does: generates instructions from nothing but the chat template, keeps the first of near duplicates, and pairs the
#   best with the worst of 5 answers
# Needs: a policy with a chat template; a reward model
# Departures: POLICY itself is trained, not its SFT on Magpie's data, with the settings for llama3-ultrafeedback on one
#   GPU; the greedy answer is one of the 5; FsfairX scores instead of ArmoRM; duplicates among all, not 500; no filter
#   by length, tags (relabel judge's rubric magpie), reward above -10 or a final colon
#
# The preference data are those of Magpie-Air-DPO and Magpie-Pro-DPO. `make check` scores and embeds with POLICY.
POLICY  ?= smollm2
DATA    ?= heldout.jsonl
HELDOUT ?= 100%
ENCODER ?= sentence-transformers/all-mpnet-base-v2
N        = 100000
ASK      = --temperature 1 --top-p 1 --max-tokens 2048 --stop '\n'
DISTANCE = 0.05
SAMPLE   = -n 4 --temperature 0.8 --top-p 1 --max-tokens 2048
MODEL   ?= $(if $(ENDPOINT),,sfairXC/FsfairX-LLaMA3-RM-v0.1)
SCORE    = $(if $(ENDPOINT),$(judge),$(REAL) relabel reward --model $(MODEL)$(device))
TRAIN    = --preset magpie-align
reads    = nothing
held     = $(held-as-it-is)
CHECK    = N=12 ASK="--stop '\\n' --max-tokens 48" SAMPLE='-n 2 --max-tokens 16' ENCODER=$(POLICY)
include project.mk

$(O)/asked.jsonl:
	@mkdir -p $(O)
	$(REAL) sample --policy $(POLICY) --pre-query -n $(N) $(ASK)$(device) -o $@
$(O)/distinct.jsonl: $(O)/asked.jsonl $(O)/split/heldout.jsonl
	$(REAL) embed --field prompt --model $(ENCODER)$(device) $< -o $(O)/embedded.jsonl
	$(REAL) pair --dedup-distance $(DISTANCE) --emit prompts $(O)/embedded.jsonl -o $(O)/apart.jsonl
	$(REAL) split --heldout $(O)/split/heldout.jsonl $(O)/apart.jsonl -o $@
$(O)/scored.jsonl: $(O)/distinct.jsonl
	$(SERVED)$(REAL) sample --policy $(POLICY) --append $(SAMPLE)$(here) $< -o $(O)/sampled.jsonl
	$(SCORE) $(O)/sampled.jsonl -o $@
$(O)/aligned/real.json: $(O)/scored.jsonl
	$(REAL) pair --strategy best-worst $< -o $(O)/pairs.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN)$(extra) -o $(O)/aligned $(O)/pairs.jsonl $(log) $(O)/training.jsonl
