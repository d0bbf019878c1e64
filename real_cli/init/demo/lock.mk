
# One make at a time in this folder: two would write the same files. The link .lock holds the number of the process.
ifeq ($(findstring n,$(firstword -$(MAKEFLAGS)))$(filter plan help,$(MAKECMDGOALS)),)
ifneq ($(REAL_LOCK),$(CURDIR))
export REAL_LOCK := $(CURDIR)
HOLDER := $(shell ln -s $$PPID .lock 2>/dev/null || { old=$$(readlink .lock); \
  if kill -0 "$$old" || ps -p "$$old" > /dev/null; then echo "$$old"; else ln -sfn $$PPID .lock; fi; } 2>/dev/null)
ifneq ($(HOLDER),)
$(error another make is at work here, process $(lastword $(HOLDER)); wait for it, or remove .lock if it is no make)
endif
endif
endif
