#!/usr/bin/env bash
# bash serve.sh LOG COMMAND...: runs a `real sample` with its policy behind a server, which SERVE starts and this stops.
#
# SERVE is what takes a model, --host and --port, has /health and answers /v1/chat/completions: 'transformers serve',
# 'vllm serve'. Its own words go to LOG. However the stage ends, or make does, the server is stopped.
log=$1
shift

die() { echo "real: SERVE = $SERVE: $1" >&2; exit 1; }
answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }
# A process that nobody waits for stays as a zombie.
lives() { kill -0 "$1" 2>/dev/null && case $(ps -o stat= -p "$1" 2>/dev/null) in Z*) false ;; esac; }
all_live() {
  local process
  for process; do lives "$process" || return 1; done
}
is_well() {
  (exec 3<>"/dev/tcp/127.0.0.1/$port" && printf 'GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n' >&3 &&
    read -r -t 5 _ status _ <&3 && [ "$status" = 200 ]) 2>/dev/null
}

policies=() previous=
for word; do
  case $previous in -p | --policy) policies+=("$word") ;; esac
  previous=$word
done
[ ${#policies[@]} = 1 ] || die "${#policies[@]} policies answer; a server has one, leave SERVE out"
policy=${policies[0]}
case $policy in
  */*) ;;
  *) [ -d "$policy" ] || die "$policy is a short name, which servers do not know; name a folder or a hub name" ;;
esac

[ ! -e "$policy/adapter_config.json" ] ||
  die "$policy is an adapter, which servers do not load by itself; give EXTRA --merge, and a new O"
# Without it `transformers serve` answers greedily whatever --temperature says, and all responses to a prompt are equal.
case $SERVE in
  *transformers*serve*)
    [ ! -d "$policy" ] || grep -qsE '"do_sample": *true' "$policy/generation_config.json" ||
      die "transformers draws nothing for $policy; write \"do_sample\": true into its generation_config.json"
    ;;
esac

server='' stage='' watch=''
# shellcheck disable=SC2317 # run by traps
stop() {
  trap '' INT TERM HUP
  [ -z "$stage" ] || kill -TERM "$stage" 2>/dev/null && wait "$stage" 2>/dev/null
  if [ -n "$server" ]; then
    kill -TERM -- "-$server" 2>/dev/null
    for _ in $(seq 100); do kill -0 -- "-$server" 2>/dev/null || break; sleep 0.1; done
    kill -KILL -- "-$server" 2>/dev/null
  fi
  [ -z "$watch" ] || kill -KILL -- "-$watch" 2>/dev/null
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

for _ in $(seq 50); do
  port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
  answers || break
done
# Groups of their own: the server's children end with it, and a key at the terminal reaches this script first.
set -m
$SERVE "$policy" --host 127.0.0.1 --port "$port" >"$log" 2>&1 </dev/null &
server=$!
# A killed make or script cannot stop anything: this one sees that it is gone.
(
  while all_live $$ $MAKE_PIDS; do sleep 0.5; done
  kill -TERM $$ 2>/dev/null && sleep 15
  kill -KILL -- "-$server"
) >/dev/null 2>&1 </dev/null &
watch=$!
set +m

until is_well; do
  lives "$server" || die "it ended before it answered: $(tail -n 1 "$log"); $log has all its words"
  sleep 0.2
done
"$@" --chat --endpoint "http://127.0.0.1:$port/v1" &
stage=$!
wait "$stage"
status=$?
stage=''
exit $status
