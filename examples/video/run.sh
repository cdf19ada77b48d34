#!/bin/sh
# Films for one viewer, and for a family of three that shares an evening.
set -eu
name=video
. "$(dirname "$0")/../common.sh"
start_node
need_model
need_users_key

say "the lists that behaviour and texts make together, and the viewers, who are kept under pseudonyms"
ask build --on-error skip
ask index prune --yes

say "five films for viewer 1, and what in the past of this viewer speaks for each"
ask recommend 1 --show title --size 5 --explain

say "all that is behind one of them: these lines add up to x"
ask explain 1 2011 --show title --most 6

say "who is like viewer 1: one kNN query, and nobody's name"
ask users neighbours 1 --size 5

say "what these people liked lately lifts films in the list"
ask --set neighbours.share=1.2 --set neighbours.k=20 recommend 1 --show title --size 5

say "a family: by the mean come films that all three like a little"
ask recommend-group 1 5 17 --strategy average --show title --size 8

say "by the fair strategy, each of them finds films of their own near the top"
ask recommend-group 1 5 17 --strategy fair --show title --size 8
