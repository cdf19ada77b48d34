#!/bin/sh
# Runs `seealso build` at once and then every night at NIGHTLY_AT (03:15 where it is not set, in the
# time zone TZ, which is UTC where that is not set). Where the first build leaves no index to serve,
# this ends with its exit code, for what started it to see and to start it again; later ones leave
# the live index as it is, and the next night tries again. Results go to stdout, the rest to stderr.
set -u
at=${NIGHTLY_AT:-03:15}
# says that there is an index to serve: what waits for it looks for this file
built=${TMPDIR:-/tmp}/seealso-built
child=
# what ends the child: a build cleans up, a sleep has nothing to
ending=TERM

# in the background, for a shell that waits for a command in the foreground does not hear SIGTERM
run() {
    "$@" &
    child=$!
    wait "$child"
}

# SIGTERM is lost on a child that has only just been forked: its shell still has this very trap
stop() {
    kill -s "$ending" "$child" 2>/dev/null
    wait "$child"
    exit 143
}

build() {
    run seealso build --on-error skip && run seealso index prune --yes
}

trap stop TERM INT
rm -f "$built"
date -d "$at" >/dev/null || { echo "NIGHTLY_AT=$at: must be a time like 03:15" >&2; exit 2; }

build
code=$?
# 9: the new index ranks worse than the live one, which goes on serving
[ "$code" -eq 0 ] || [ "$code" -eq 9 ] || exit "$code"
touch "$built"

while :; do
    next=$(date -d "$at" +%s)
    [ "$next" -gt "$(date +%s)" ] || next=$(date -d "tomorrow $at" +%s)
    echo "the next build is on $(date -d "@$next" '+%Y-%m-%d at %H:%M:%S %Z')" >&2
    ending=KILL
    run sleep "$((next - $(date +%s)))"
    ending=TERM
    build || echo "the build ended with exit code $?; the live index goes on serving" >&2
done
