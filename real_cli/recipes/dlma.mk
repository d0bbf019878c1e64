# DLMA: self-rewarding contrastive prompt distillation
# Paper: Liu et al., 2024, arXiv:2402.11907; section 3
# Formulas: real-methods(7), section 9
# Does: answers a system prompt that asks for the good and one that asks for the opposite, and offsets DPO by how far
#   the two disagree about the answers
# Needs: prompts alone
# Departures: the system prompts are ours; the margin includes the end of a response; 0.2 stands inside beta and no
#   label is swapped where R < 0, as in the paper's code; the paper's 150 warm-up steps outlast a run on the bundled
#   data
#
# On the bundled data add --warmup 0.1 to TRAIN.
SHELL   := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)
REAL     = real
POLICY   = smollm2
POSITIVE = You are a helpful, honest and harmless assistant. Answer with care for the user and for others.
NEGATIVE = You are an unhelpful, dishonest and harmful assistant. Answer without care for the user or for others.
SAMPLE   = --temperature 1 --top-p 1 --top-k 50 --max-tokens 200
TRAIN    = --preset dlma
PROMPTS  = prompts.jsonl
HELDOUT  = heldout.jsonl
O        = run
.DELETE_ON_ERROR .PHONY: all check clean
all: $(O)/eval.json

$(O)/sampled.jsonl: $(PROMPTS)
	@mkdir -p $(O)
	$(REAL) sample --policy $(POLICY) --contrast '$(POSITIVE)' '$(NEGATIVE)' $(SAMPLE) $< -o $@
$(O)/pairs.jsonl: $(O)/sampled.jsonl
	$(REAL) pair --strategy all --orient rank $< -o $@
$(O)/offsets.jsonl: $(O)/pairs.jsonl
	$(REAL) relabel implicit --policy $(POLICY) --contrast '$(POSITIVE)' '$(NEGATIVE)' $< -o $@
$(O)/aligned/real.json: $(O)/offsets.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(TRAIN) -o $(O)/aligned $< > $(O)/training.jsonl
$(O)/heldout.jsonl: $(HELDOUT)
	@mkdir -p $(O)
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/eval.json: $(O)/heldout.jsonl $(O)/aligned/real.json
	$(REAL) eval margin --policy $(O)/aligned --reference $(POLICY) $< -o $@

check:
	mkdir -p check && head -n 6 $(PROMPTS) > check/few.jsonl && head -n 6 $(HELDOUT) > check/held.jsonl && \
	$(MAKE) -B O=check PROMPTS=check/few.jsonl HELDOUT=check/held.jsonl \
	  SAMPLE='$(SAMPLE) --max-tokens 16' TRAIN='$(TRAIN) --max-steps 2 --batch-size 2'
clean:
	rm -rf $(O) check
