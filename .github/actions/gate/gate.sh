#!/usr/bin/env bash
# Run the gate and tell the workflow what became of it. Ends with 0 whatever the verdict: the action's last step
# ends with `end`, after the page is kept and the comment written.
set -uo pipefail

printed=$RUNNER_TEMP/servebench-printed
arguments=("$GATE_COMMAND")

add() {
  if [[ -n $2 ]]; then arguments+=("$1" "$2"); fi
}

add_lines() {
  local line
  while IFS= read -r line; do
    read -r line <<<"$line" # without the spaces around it
    add "$1" "$line"
  done <<<"$2"
}

add --sut "$GATE_SUT"
add --baseline "$GATE_BASELINE"
add --candidate "$GATE_CANDIDATE"
add --restart-baseline "$GATE_RESTART_BASELINE"
add --restart-candidate "$GATE_RESTART_CANDIDATE"
add --seed "$GATE_SEED"
add --inconclusive "$GATE_INCONCLUSIVE"
add --machine "$GATE_MACHINE_RECORD"
add_lines --margin "$GATE_MARGINS"
add_lines --only "$GATE_ONLY"
add --out "$RUNNER_TEMP/servebench-gates"

# What is gated is not trusted with the workflow: what it prints is no workflow command, and the files by which steps
# speak to the runner are not named to it. -P: a folder `reports` of the workspace is not ours.
token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$token"
env -u GITHUB_ENV -u GITHUB_PATH -u GITHUB_OUTPUT -u GITHUB_STATE -u GITHUB_STEP_SUMMARY \
  "$GATE_PYTHON" -P -m reports "${arguments[@]}" -- "$GATE_SCENARIO" 2>&1 | tee "$printed"
code=${PIPESTATUS[0]}
echo "::$token::"

directory=$(tail -n 1 "$printed")
if [[ ! -f $directory/verdict.json ]]; then directory=; fi

case $code in
0) outcome=pass ;;
1) outcome=regression ;;
3) outcome=inconclusive ;;
4) outcome=unfit ;;
*) outcome=error ;;
esac
# 0 may be an inconclusive gate whose user asked for a warning.
if [[ $code == 0 ]] && grep -q '"outcome": *"inconclusive"' "$directory/verdict.json"; then outcome=inconclusive; fi
# A regression is a verdict; Python's own exit code 1 is a bug.
if [[ $code == 1 && -z $directory ]]; then outcome=error; fi

end=$code
if [[ $outcome == error ]]; then end=2; fi
if [[ $outcome == unfit && $GATE_UNFIT == warn ]]; then end=0; fi

markdown=$RUNNER_TEMP/servebench-verdict.md
if [[ -n $directory && -f $directory/verdict.md ]]; then
  cp "$directory/verdict.md" "$markdown"
else
  {
    echo "### Performance gate: $outcome"
    echo
    echo "It came to no verdict (exit code $code). The end of what it printed:"
    echo
    tail -n 40 "$printed" | sed 's/^/    /'
  } >"$markdown"
fi
cat "$markdown" >>"$GITHUB_STEP_SUMMARY"

if [[ $end == 0 && $outcome != pass ]]; then
  echo "::warning title=Performance gate::$outcome: this run does not say that nothing became slower"
fi

name=${GATE_NAME:-$(basename "$GATE_SCENARIO" .toml)}
{
  echo "outcome=$outcome"
  echo "exit-code=$code"
  echo "end=$end"
  echo "directory=$directory"
  echo "report=${directory:+$directory/report.html}"
  echo "markdown=$markdown"
  echo "name=${name//[^A-Za-z0-9._-]/-}"
} >>"$GITHUB_OUTPUT"
