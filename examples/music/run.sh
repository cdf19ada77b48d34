#!/bin/sh
# Songs with Chinese titles for playlists, for words in Chinese, and beside another song.
#
#   examples/music/run.sh DIR MODEL    DIR holds songs.tsv.gz, playlists.tsv.gz and inter.tsv.gz;
#                                      MODEL is a folder of multilingual-e5-small, or its hub id
set -eu
name=music
. "$(dirname "$0")/../common.sh"
need_folder FROM "${1:-}" songs.tsv.gz
start_node
# E5 wants a word before each text; both kinds get the same, as items are asked for items
need_model "${2:-intfloat/multilingual-e5-small}" --item-prefix 'query: ' --user-prefix 'query: '

say "songs that are in three playlists or more; a playlist stands for a user"
py examples/music/prepare.py "$1" "$work"
ask build
ask index prune --yes

say "quiet songs for a rainy day"
ask recommend --words 适合下雨天听的安静的歌 --show title --size 6

say "summer, by the sea"
ask recommend --words '夏天 海边' --show title --size 6

say "a singer's name: it is in the text of the songs, though not in their titles"
ask recommend --words 周杰伦 --show title --size 6

say "what a playlist of old favourites lacks, and which of its songs speak for it"
ask recommend 9702576219 --show title --size 6 --explain

say "what goes with one song"
ask related 210049 --show title --size 6
