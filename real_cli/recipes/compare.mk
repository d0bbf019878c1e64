# Compare: methods side by side
# Paper: Saeidi et al., 2024, arXiv:2404.14723; its question, which loss to train with, asked of your data
# Does: trains on the same pairs and for the same steps by each method, and sets each against plain DPO
# Needs: scored responses or labeled pairs; a training for each method and seed
# Departures: not the paper's methods, tasks or settings: held-out accuracy, margin, length and cost, as paired
#   differences over prompts and seeds, corrected for the number of methods by Holm
#
# METHODS are losses that read plain pairs, here all of them, and names with a relabel-NAME, what real makes of the
# pairs first, or a with-NAME, options of real train-dpo: rdo and sppo want scores. Each loss has its own default beta
# and TRAIN's rate; one that is meant for another gets it by with-simpo = --loss simpo --learning-rate 1e-6. DEVICES =
# cuda:0 cuda:1 deals the trainings out (make -j2). A policy's weights are deleted once it is measured, unless
# KEEP_POLICIES is set.
POLICY  ?= smollm2
DATA    ?= candidates.jsonl
METHODS  = dpo cdpo ipo hinge robust exo nca bco aot aot-unpaired apo-zero apo-down discopop dpo-norm sppo-hard \
  ada-dpo spa bmc bmc-code sft asft simpo cpo orpo
BASELINE = dpo
SEEDS    = 1 2 3
TRAIN    = --learning-rate 5e-5 --batch-size 8 --max-length 512
CHECK    = FIRST=12 METHODS=rdo SEEDS='1 2'
final    =
include project.mk
relabel-rdo  = relabel weight
with-rdo     = --loss dpo --weight-field weight
relabel-spo  = relabel degrade
relabel-sppo = relabel winprob
# A cell is METHOD.SEED.
methods = $(BASELINE) $(filter-out $(BASELINE),$(METHODS))
cells   = $(foreach seed,$(SEEDS),$(methods:=.$(seed)))
method  = $(basename $*)
rows    = $(cells:%=$(O)/cells/%/rows.jsonl)
$(foreach cell,$(cells),$(eval count += x)$(eval on-$(cell) := $(word $(words $(count)),$(foreach _,$(cells),\
  $(or $(DEVICES),$(DEVICE))))))
at      = $(or $(on-$*),$(DEVICE))
device  = $(if $(at), --device $(at))
.SECONDARY: $(methods:%=$(O)/relabeled/%.jsonl)
.SECONDEXPANSION:

$(O)/pairs.jsonl: $(scored)
	@mkdir -p $(O)/relabeled $(O)/cells
	$(REAL) pair --strategy best-worst $< -o $@
$(O)/relabeled/%.jsonl: $(O)/pairs.jsonl
	$(REAL) $(relabel-$*) $< -o $@
$(O)/cells/%/rows.jsonl: $$(O)/$$(if $$(relabel-$$(method)),relabeled/$$(method),pairs).jsonl $(O)/known.jsonl
	$(REAL) train-dpo --policy $(POLICY) $(or $(with-$(method)),--loss $(method)) --seed $(subst .,,$(suffix $*)) \
	  $(TRAIN)$(extra) -o $(@D) $< $(log) $(@D).jsonl
	$(REAL) eval margin --policy $(@D)$(device) --tag method=$(method) --tag seed=$(subst .,,$(suffix $*)) \
	  --rows $@ $(O)/known.jsonl -o $(@D)/eval.json
	$(if $(KEEP_POLICIES),,rm -f $(@D)/*.safetensors)
$(O)/eval.json: $(rows) $(if $(REPORT),$(if $(wildcard $(call path,$(REPORT))),,FORCE))
	$(REAL) eval compare --baseline $(BASELINE)$(if $(REPORT), --report $(call quoted,$(REPORT))) \
	  $(filter %/rows.jsonl,$^) -o $@
