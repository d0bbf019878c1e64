# What all recipes share: the variables of a project, the split, the evaluation; the goals plan, check, help and clean.
# The Makefile includes it; settings belong into config.mk. real-recipes(7) tells of each variable.

REAL    ?= real
O        = run
-include config.mk
HELDOUT ?= $(if $(filter candidates.jsonl prompts.jsonl dialogues.jsonl,$(DATA)),heldout.jsonl,10%)
SHELL   := $(shell bash -c 'echo bash -o pipefail' 2>/dev/null || echo /bin/sh)

# A file's name for the shell, and for make, which would take a name with a space for two.
blank  := $(subst ,, )
home    = $(subst <,,$(subst <~/,<$(HOME)/,<$(1)))
quoted  = '$(subst ','\'',$(call home,$(1)))'
path    = $(if $(filter hf:%,$(1)),,$(subst $(blank),\ ,$(call home,$(1))))
share  := $(filter %%,$(subst $(blank),_,$(HELDOUT)))

# Options of commands, which stand only where a variable is set.
device  = $(if $(DEVICE), --device $(DEVICE))
extra   = $(device)$(if $(EXTRA), $(EXTRA))$(if $(stopped), --resume-if-same)
# An interrupted training goes on; its log, which the report shows, is kept. $(@D) is the folder that is trained.
stopped = $(wildcard $(@D)/.work/settings.json)
log     = $(if $(stopped),>>,>)
asks    = --endpoint $(ENDPOINT)$(if $(KEY), --key-variable $(KEY)) --model $(MODEL)$(if $(ASKING), $(ASKING))
judge   = $(REAL) relabel judge --rubric ultrafeedback $(asks)
report  = $(if $(REPORT), --report $(call quoted,$(REPORT)) --training $(dir $(final))training.jsonl)
# With SERVE, `real sample` asks a server that serve.sh starts with its policy and stops; else the policy runs here.
SERVED  = $(if $(SERVE),bash serve.sh $(O)/serve.log )
here    = $(if $(SERVE),,$(device))
export SERVE
export MAKE_PIDS := $(MAKE_PIDS) $(shell echo $$PPID)

# The side to train on: records, records with a judge's scores where there is an ENDPOINT, prompts without responses.
train   = $(O)/split/train.jsonl
scored  = $(O)/split/$(if $(ENDPOINT),rated-)train.jsonl
prompts = $(O)/split/prompts.jsonl
# The other side. A file's records have scores; a share of DATA gets them, and answers, as the training side does.
held-as-it-is = $(O)/split/heldout.jsonl
held-rated    = $(O)/split/$(if $(share),rated-)heldout.jsonl
held-answered = $(O)/split/$(if $(share),rated-answered-)heldout.jsonl
held   ?= $(if $(ENDPOINT),$(held-rated),$(held-as-it-is))
SCORE  ?= $(judge)
# What the method needs of DATA: scored, triples, responses, conversations, prompts, nothing; plan looks for it.
reads  ?= $(if $(ENDPOINT),responses,scored)
# What is evaluated, compared with what, on which pairs; a recipe of many policies has no final one, and its own end.
final  ?= $(O)/aligned
base   ?= $(POLICY)
tested ?= $(O)/heldout.jsonl

# What make cannot have is refused in words.
hash   := \#
named  := DATA $(if $(share),,HELDOUT)
$(foreach name,POLICY O ENDPOINT MODEL KEY ENCODER DEVICE,$(if $(word 2,$($(name))),\
  $(error $(name) = $($(name)): holds a space; give a name without one, of a link say: ln -s)))
$(if $(ENDPOINT),$(if $(MODEL),,$(error ENDPOINT = $(ENDPOINT): MODEL is missing; name the model to ask there)))
$(foreach name,$(named),$(foreach mark,: % * ? [ ] ; = | " $(hash),\
  $(if $(findstring $(mark),$(filter-out hf:%,$($(name)))),\
    $(error $(name) = $($(name)): holds $(mark), which make would misread; give a name without it, of a link say))))
ifneq ($(filter-out clean help,$(or $(MAKECMDGOALS),all)),)
$(foreach name,$(named),$(if $(filter hf:%,$($(name))),,$(if $(wildcard $(call path,$($(name)))),,\
  $(error $(name) = $($(name)): no such file in $(CURDIR); give its name as seen from there, or in full))))
endif

# Whether DATA begins with a labeled pair, whose label somebody has paid for.
choice := chosen|rejected|accepted|preferred|preferred_output|rejected_response|better_response_id|labels|response_j|\
winner|winner_model_a|preference|preference_strength|overall_preference
labeled := $(if $(ENDPOINT)$(filter hf:%,$(DATA)),,$(shell head -c 65536 $(call quoted,$(DATA)) 2>/dev/null | head -n 1 | \
  grep -cE '(^|[^\])"($(subst $(blank),,$(choice)))"[[:space:]]*:' | sed '/^0/d'))
# What a run began with, a setting a line; plan tells what has changed since. ROUNDS may grow.
fixed  := $(filter-out O REAL ROUNDS CHECK REPORT KEY,$(sort DATA HELDOUT POLICY EXTRA ENDPOINT MODEL ASKING \
  $(shell sed -n 's/^\([A-Z_]*\) *?*=.*/\1/p' Makefile)))
now     = $(foreach name,$(fixed),'$(name) = $(subst ','\'',$($(name)))')
begin   = @mkdir -p $(@D) && printf '%s\n' $(now) > $(O)/settings.txt

.DELETE_ON_ERROR:
.PHONY: all plan check help clean FORCE
all: $(O)/eval.json

part    = $(REAL) split --heldout $(call quoted,$(HELDOUT))$(if $(FIRST), --first $(FIRST))
sources = $(call path,$(DATA)) $(if $(share),,$(call path,$(HELDOUT)))
$(train) $(prompts): $(sources)
	$(begin)
	$(part)$(if $(filter $(prompts),$@), --emit prompts) $(call quoted,$(DATA)) -o $@
$(O)/split/heldout.jsonl: $(sources)
	$(begin)
	$(part) --part heldout $(call quoted,$(if $(share),$(DATA),$(HELDOUT))) -o $@
$(O)/split/answered-heldout.jsonl: $(O)/split/heldout.jsonl
	$(REAL) split --heldout 100% --part heldout --emit prompts $< -o $(O)/split/heldout-prompts.jsonl
	$(SERVED)$(REAL) sample --policy $(POLICY) -n 4 $(SAMPLE)$(here) $(O)/split/heldout-prompts.jsonl -o $@
rated   = train heldout answered-heldout
$(rated:%=$(O)/split/rated-%.jsonl): $(O)/split/rated-%.jsonl: $(O)/split/%.jsonl
	$(SCORE) $< -o $@
$(O)/heldout.jsonl: $(held)
	$(REAL) pair --strategy best-worst $< -o $@
ifneq ($(final),)
$(O)/eval.json: $(tested) $(final)/real.json $(if $(REPORT),$(if $(wildcard $(call path,$(REPORT))),,FORCE))
	$(REAL) eval margin --policy $(final) --reference $(base)$(device)$(report) $< -o $@
endif
# The reference reads the held-out pairs once for many policies.
$(O)/known.jsonl: $(O)/heldout.jsonl
	$(REAL) eval margin --policy $(POLICY) --reference $(POLICY)$(device) --export-logps $@ $< -o $(O)/before.json

# What is still to do, with what each stage will cost as far as that can be told before it runs.
plan:
	@REAL='$(REAL)' O=$(O) NOW="$$(printf '%s\n' $(now))" READS='$(reads)' DATA=$(call quoted,$(DATA)) \
	  HELD=$(if $(share),,$(call quoted,$(HELDOUT))) bash plan.sh $(MAKE) --no-print-directory -n SERVE= REAL=stage all
# Everything small: the first records, two steps, scores by the policy itself; CHECK has what else a method needs.
check:
	$(MAKE) -B O=check stopped= FIRST=6 TRAIN='$(TRAIN) --max-steps 2 --batch-size 2' \
	  SCORE='$(REAL) relabel implicit --policy $(POLICY)$(device) --contrast "Answer well." "Answer badly."' $(CHECK)
clean:
	rm -rf $(O) check
help:
	@cat config.mk 2>/dev/null; printf '\n%s\n' 'Goals: all, plan (what is left to do, at what cost), check (all of it, small), clean.'
