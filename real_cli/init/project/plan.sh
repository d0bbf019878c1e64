#!/usr/bin/env bash
# REAL, O, NOW, READS, DATA, HELD bash plan.sh MAKE -n ... REAL=stage: prints the stages that make would run, each with
# its estimate; before them what has changed since the run began, and whether DATA has what the method READS.
#
# Nothing is run but `real ... --estimate` and `--dry-run`, which write no file, and a look at DATA's first records. A
# stage whose input is still to be made names it instead.
printed=$("$@") || exit
status=0

# can NEED RECORDS: whether records have what is needed.
can() {
  local pairs
  case $1 in
    scored) $REAL pair --strategy best-worst -q <<<"$2" >/dev/null 2>&1 && can responses "$2" ;;
    triples) pairs=$($REAL pair --strategy best-worst --emit triples -q <<<"$2" 2>/dev/null) && [ -n "$pairs" ] ;;
    responses) pairs=$($REAL pair --strategy random --orient none -q <<<"$2" 2>/dev/null) && [ -n "$pairs" ] ;;
    conversations) $REAL relabel dsat --lexical -q <<<"$2" >/dev/null 2>&1 ;;
  esac
}
# look NAME FILE NEED: says whether the file has what is needed; real's own line where it cannot be read at all.
look() {
  local first has needs
  case $2 in '' | hf:*) return ;; esac
  if ! first=$($REAL split --heldout /dev/null --first 20 -q "$2" </dev/null); then
    status=1
    return
  fi
  case $3 in scored | triples | responses | conversations) ;; *) return ;; esac
  if [ -z "$first" ] || can "$3" "$first"; then return; fi
  case $3 in
    responses) needs='at least two responses to each prompt; real sample makes them' ;;
    triples) needs='at least three responses with scores to a prompt' ;;
    *) needs='responses with scores, or labeled pairs' ;;
  esac
  if [ "$3" = triples ] && can scored "$first"; then
    has='two responses to a prompt'
  elif can responses "$first"; then
    has='responses, not all with a score or a label'
    needs="$needs; score them with real relabel reward or judge, or label pairs with real relabel human"
  else
    has='prompts without two responses'
    case $3 in scored | triples) needs="$needs; real sample makes responses, real relabel scores or labels them" ;; esac
  fi
  [ "$3" != conversations ] || has='no conversations' needs='lists of messages, of several turns'
  echo "real: $1 = $2: its first records are $has; this recipe needs $needs" >&2
  status=1
}
look DATA "$DATA" "$READS"
[ "$READS" = conversations ] || look HELDOUT "$HELD" scored

# What is not as it was when the run began.
if [ -e "$O/settings.txt" ]; then
  changed=''
  while IFS= read -r line; do
    old=$(grep -m 1 "^${line%% = *} = " "$O/settings.txt") || continue
    [ "$old" = "$line" ] || changed="$changed  $line (was: ${old#* = })"$'\n'
  done <<<"$NOW"
  [ -z "$changed" ] || printf '%s\n%s%s\n' "Settings that are not those which $O began with:" "$changed" \
    "What is made stays as it is; for a run with these settings give O another folder, or run make clean first."
fi

# A line a stage, those of a pipe too, without what make itself does to files.
stages=$(sed -e ':more' -e '/\\$/{N;s/\\\n[[:space:]]*//;b more' -e '}' <<<"$printed" | grep '^stage ' | sed -E -e 's/ >>? [^ ]*$//' -e 's/ \| +stage /\
stage /g')

# Whether a file or a finished model is there that no earlier stage will make anew.
is_there() {
  [[ $outputs != *" $1 "* ]] && [ -e "$1" ] && { [ ! -d "$1" ] || [ -e "$1/real.json" ]; }
}
# Names the last checkpoint of a training that was stopped.
stopped_at() {
  [ ! -e "$1/.work/settings.json" ] || find "$1" -maxdepth 2 -name 'checkpoint-*' -type d | sort -V | tail -n 1
}

number=0 outputs=' '
stage() {
  local missing='' previous='' estimate='' output='' checkpoint word kept=()
  number=$((number + 1))
  printf '%s. real' "$number"
  for word; do
    case $word in *[\ \'\"\$\;\|\&\(\)\<\>\*]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    case $previous in
      -o | --output) output=$word ;;
      --dump | --report) ;;
      *) case $word in "$O"/*) is_there "$word" || [[ $missing, == *" $word,"* ]] || missing="$missing${missing:+,} $word" ;; esac ;;
    esac
    case $word in --endpoint) estimate=--dry-run ;; esac
    case " $previous $word " in *' -o '* | *' --output '* | *' --resume-if-same '*) ;; *) kept+=("$word") ;; esac
    previous=$word
  done
  printf '\n'
  case $1 in
    train-dpo)
      estimate=--estimate
      checkpoint=$(stopped_at "$output")
      [ -z "$checkpoint" ] || echo "   was stopped: goes on from $checkpoint, if settings and pairs are the same"
      ;;
  esac
  outputs="$outputs$output "
  if [ -n "$missing" ]; then
    echo "   needs$missing first"
  elif [ -n "$estimate" ]; then
    $REAL "${kept[@]}" "$estimate" </dev/null || echo "   no estimate"
  else
    echo "   on this machine, at no charge"
  fi
}

if [ -z "$stages" ]; then
  echo 'Nothing is left to do.'
else
  eval "$stages"
fi
exit $status
