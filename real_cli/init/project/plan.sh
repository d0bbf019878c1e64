#!/usr/bin/env bash
# REAL=... O=... bash plan.sh MAKE -n ... REAL=stage: prints the stages that make would run, each with its estimate.
#
# Nothing is run but `real ... --estimate` and `--dry-run`, which write no file. A stage whose input is still to be made
# names it instead.
printed=$("$@") || exit
# A line a stage, without what make itself does to files.
stages=$(sed -e ':more' -e '/\\$/{N;s/\\\n[[:space:]]*//;b more' -e '}' <<<"$printed" | grep '^stage ' | sed 's/ > [^ ]*$//')

number=0
stage() {
  local missing='' previous='' estimate='' word kept=()
  number=$((number + 1))
  printf '%s. real' "$number"
  for word; do
    case $word in *[\ \'\"\$\;\|\&\(\)\<\>\*]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    case $previous in
      -o | --output | --dump | --report) ;;
      *) case $word in "$O"/*) [ -e "$word" ] || [[ $missing, == *" $word,"* ]] || missing="$missing${missing:+,} $word" ;; esac ;;
    esac
    case $word in --endpoint) estimate=--dry-run ;; esac
    case " $previous $word " in *' -o '* | *' --output '*) ;; *) kept+=("$word") ;; esac
    previous=$word
  done
  printf '\n'
  case $1 in train-dpo) estimate=--estimate ;; esac
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
