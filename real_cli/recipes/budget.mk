# Budget: what the labels buy
# Paper: Zhang et al., 2024, arXiv:2409.17169; its claim that the least similar pairs save labels, on your data
# Does: trains on ever more labels, chosen by several strategies, and says what each saves over choosing at random
# Needs: scored responses or labeled pairs; a training for each strategy, budget and seed
# Departures: intervals over held-out prompts and seeds; what nearly stands among the held-out prompts is not trained on
#
# BUDGETS are numbers of pairs or shares of them, POOL the most records to choose from. With pairs that have labels, all
# strategies are the same at 100%: that is trained once a seed, as "all". DEVICES = cuda:0 cuda:1 deals the trainings
# out (make -j2). A policy's weights are deleted once it is measured, unless KEEP_POLICIES is set.
POLICY    ?= smollm2
DATA      ?= candidates.jsonl
ENCODER   ?= $(POLICY)
STRATEGIES = easy random hard
BUDGETS    = 5% 20% 50% 100%
SEEDS      = 1 2 3
LOSS       = dpo
TRAIN      = --learning-rate 5e-5 --batch-size 8 --max-length 512
CHECK      = FIRST=12 POOL=10 BUDGETS='2 4' SEEDS='1 2' STRATEGIES='easy random'
final      =
include project.mk

# A cell is STRATEGY.BUDGET.SEED, with pc for %, which would make a pattern of its name, and 2-5 for 2.5.
blind   = $(if $(ENDPOINT),--orient none )
budgets = $(subst .,-,$(subst %,pc,$(BUDGETS)))
keep    = $(subst -,.,$(subst pc,%,$(call of,2)))
shared  = $(if $(labeled),$(filter 100pc,$(budgets)))
cells   = $(foreach seed,$(SEEDS),$(foreach budget,$(filter-out $(shared),$(budgets)),\
  $(STRATEGIES:=.$(budget).$(seed))) $(shared:%=all.%.$(seed)))
rows    = $(cells:%=$(O)/cells/%/rows.jsonl)
of      = $(word $(1),$(subst ., ,$*))
$(foreach cell,$(cells),$(eval count += x)$(eval on-$(cell) := $(word $(words $(count)),$(foreach _,$(cells),\
  $(or $(DEVICES),$(DEVICE))))))
device  = $(if $(or $(on-$*),$(DEVICE)), --device $(or $(on-$*),$(DEVICE)))
.SECONDARY: $(foreach stage,chosen judged,$(cells:%=$(O)/$(stage)/%.jsonl))

$(O)/asked.jsonl: $(train)
	$(REAL) pair --strategy random --orient none $< -o $@
$(O)/unleaked.jsonl: $(O)/asked.jsonl $(O)/heldout.jsonl
	$(REAL) eval pairs --against $(O)/heldout.jsonl --drop leaked-prompts --drop overlapping-prompts --sound $@ $< \
	  -o $(O)/unleaked.json
$(O)/pool.jsonl: $(train) $(O)/unleaked.jsonl
	$(REAL) split --heldout $(O)/unleaked.jsonl --part heldout$(if $(POOL), --first $(POOL)) $< -o $@
$(O)/embedded.jsonl: $(O)/pool.jsonl
	@mkdir -p $(addprefix $(O)/,chosen judged cells)
	$(REAL) embed --model $(ENCODER) --max-length 512$(device) $< -o $@
$(O)/chosen/%.jsonl: $(O)/embedded.jsonl
	$(REAL) pair --strategy $(subst all,$(firstword $(STRATEGIES)),$(call of,1)) --keep $(keep) --seed $(call of,3) \
	  $(blind)$< -o $@
$(O)/judged/%.jsonl: $(O)/chosen/%.jsonl
	$(REAL) relabel judge $(asks) $< -o $@
$(O)/cells/%/rows.jsonl: $(O)/$(if $(ENDPOINT),judged,chosen)/%.jsonl $(O)/known.jsonl
	$(REAL) train-dpo --policy $(POLICY) --loss $(LOSS) --seed $(call of,3) $(TRAIN)$(extra) -o $(@D) $< $(log) $(@D).jsonl
	$(REAL) eval margin --policy $(@D)$(device) --tag strategy=$(call of,1) --tag seed=$(call of,3) \
	  --tag budget=$$(grep -sc '' $(O)/chosen/$*.jsonl) --rows $@ $(O)/known.jsonl -o $(@D)/eval.json
	$(if $(KEEP_POLICIES),,rm -f $(@D)/*.safetensors)
$(O)/eval.json: $(rows) $(if $(REPORT),$(if $(wildcard $(call path,$(REPORT))),,FORCE))
	$(REAL) eval budget$(if $(REPORT), --report $(call quoted,$(REPORT))) $(filter %/rows.jsonl,$^) -o $@
