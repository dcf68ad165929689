#!/usr/bin/env bash
# The gate's own environment: named by what it is made from, and made where no cache held it.
set -euo pipefail

checkout=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)

name() {
  local inputs
  inputs=$(cat "$checkout/pyproject.toml" "$checkout/constraints.txt" | sha256sum | cut -c 1-16)
  {
    echo "key=servebench-$RUNNER_OS-$RUNNER_ARCH-$GATE_PYTHON_VERSION-$inputs"
    echo "path=$HOME/.cache/servebench/$GATE_PYTHON_VERSION-$inputs"
  } >>"$GITHUB_OUTPUT"
}

make() {
  local python=$GATE_ENVIRONMENT/bin/python
  local pip=("$python" -m pip install --quiet --disable-pip-version-check)
  if [[ ! -e $GATE_ENVIRONMENT/installed ]]; then
    rm -rf "$GATE_ENVIRONMENT"
    "$GATE_BASE_PYTHON" -m venv "$GATE_ENVIRONMENT"
    "${pip[@]}" -c "$checkout/constraints.txt" "$checkout"
    touch "$GATE_ENVIRONMENT/installed"
  fi
  # The packages themselves may have changed while what they depend on has not.
  "${pip[@]}" --no-deps --force-reinstall "$checkout"
  local asked=() line
  while IFS= read -r line; do
    if [[ -n $line ]]; then asked+=("$line"); fi
  done <<<"$GATE_INSTALL"
  if ((${#asked[@]})); then "${pip[@]}" -c "$checkout/constraints.txt" "${asked[@]}"; fi
}

"$1"
