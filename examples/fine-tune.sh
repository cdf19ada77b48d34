#!/bin/sh
# Fine-tunes the model on the behaviour that a settings file names, builds an index with it beside
# the live one, and moves the alias only if the new model ranks better on the test events.
#
# Training looks at dev: by it, the epoch is chosen and whether vectors are whitened. On dev the
# new model would look better than it is, so test decides, on which nothing was chosen.
#
#   examples/fine-tune.sh seealso.toml
#
# An index must be live already (seealso index build). Settings can be changed by the environment:
# SEEALSO_TRAINING__PRESET=budget. A run that was stopped goes on when it is started again.
set -eu
config=$1
name=${NAME:-tuned}

ask() { "${SEEALSO:-seealso}" --config "$config" "$@"; }
field() { "${PYTHON:-python3}" -c "import json, sys; found = json.load(sys.stdin); print($1)"; }
say() { printf '\n· %s\n' "$1" >&2; }

old=$(ask index list --json | field 'next(one["meta"]["bundle"] for one in found if one["live"])')
say "fine-tuning; $old is live"
ask --set training.name="$name" train --on-error skip --force

say "building an index with $name beside the live one"
built=$(ask --set encoder.bundle="$name" index build --on-error skip --no-swap --json)
index=$(echo "$built" | field 'found["index"]')
new=$(echo "$built" | field 'found["bundle"]')

say "comparing $old with $new on test, on which nothing was chosen"
code=0
ask model compare "$old" "$new" --on-error skip --test --fail-unless-better || code=$?
case $code in
    0) say "swapping: $new is better (seealso index rollback takes it back)"
       ask index swap "$index" ;;
    9) say "not swapping: $old stays live, $index waits (seealso index swap, or prune)" ;;
    *) exit "$code" ;;
esac
