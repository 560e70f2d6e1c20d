# Steps of `run` and `nightly`: each is a function `step_NAME`, is timed, and may end with `skip "why"`.
# Both source this file and set SELF to their own path.

STEPS_TABLE=()

# Ends a step that cannot run here; this is not a failure.
skip() {
  echo "SKIPPED: $*"
  exit 77
}

# Reports a part of a step that cannot run here; the step continues.
left_out() {
  echo "LEFT OUT: $*"
}

# Runs one step in its own shell, so that `set -e` applies in it even if the caller tests its outcome.
perform() {
  local name=$1 started=$SECONDS code=0 outcome
  echo
  echo "--- $name"
  bash "$SELF" --step "$name" < /dev/null || code=$?
  case $code in
    0) outcome=ok ;;
    77) outcome=skipped ;;
    *) outcome="FAILED ($code)" ;;
  esac
  STEPS_TABLE+=("$(printf '%-12s %5d:%02d min  %s' \
    "$name" $(((SECONDS - started) / 60)) $(((SECONDS - started) % 60)) "$outcome")")
  [ "$code" = 0 ] || [ "$code" = 77 ]
}

# Prints each step with its duration and outcome.
summary() {
  echo
  echo "--- minutes per step"
  printf '%s\n' "${STEPS_TABLE[@]}"
  printf '%-12s %5d:%02d min\n' all $((SECONDS / 60)) $((SECONDS % 60))
}

# Prints the names of all steps, in the order of the file.
steps() {
  sed -n 's/^step_\([a-z_]*\)() {.*/\1/p' "$SELF"
}

require_step() {
  steps | grep -qx -- "$1" || {
    echo "There is no step $1. There are: $(steps | tr '\n' ' ')" >&2
    exit 2
  }
}
