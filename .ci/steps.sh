# Steps of `run` and `nightly`: each is a function `step_NAME`, tells how long it took, and may end with
# `skip "why"`. Sourced by both, which say in SELF what they are.

STEPS_TABLE=()

# Ends a step that cannot be done here: it has not failed.
skip() {
  echo "SKIPPED: $*"
  exit 77
}

# A part of a step that cannot be done here; the step goes on.
left_out() {
  echo "LEFT OUT: $*"
}

# Runs one step in a shell of its own, so that `set -e` holds in it whoever asks for its outcome.
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

# What was done, and for how long.
summary() {
  echo
  echo "--- minutes per step"
  printf '%s\n' "${STEPS_TABLE[@]}"
  printf '%-12s %5d:%02d min\n' all $((SECONDS / 60)) $((SECONDS % 60))
}

# The names of all steps, in the order in which the file has them.
steps() {
  sed -n 's/^step_\([a-z_]*\)() {.*/\1/p' "$SELF"
}

require_step() {
  steps | grep -qx -- "$1" || {
    echo "There is no step $1. There are: $(steps | tr '\n' ' ')" >&2
    exit 2
  }
}
