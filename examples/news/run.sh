#!/bin/sh
# News for readers of whom nothing is known but a line of their own, until they read something.
set -eu
name=news
. "$(dirname "$0")/../common.sh"
start_node
need_model
need_users_key

say "articles as if the newest were of today, and three readers; nobody has read anything yet"
py examples/news/prepare.py "$work"
ask build
ask index prune --yes

say "words alone: at most two articles of one source, and what is old sinks"
ask recommend --words "rockets and missions to space" --show line --size 6

say "the same words, whatever the age and the source"
ask --set exposure.fresh=null --set exposure.caps=[] \
    recommend --words "rockets and missions to space" --show line --size 6

say "ben said that he likes football and rugby: that is all that his first list knows"
ask recommend ben --show line --size 6

say "then ben reads three articles about the climate"
shown cat "$work/reads.jsonl"
cat "$work/reads.jsonl"
ask events ingest "$work/reads.jsonl"

say "his next list: the climate has come in, and what he read is not offered again"
ask recommend ben --show line --size 6

say "what is related to the article that he read last"
read_last=$(sed -n 's/.*"article_id": "\([^"]*\)".*/\1/p; q' "$work/reads.jsonl")
ask related "$read_last" --show line --size 5

say "ben leaves: nothing is kept of him"
ask users forget ben --yes
