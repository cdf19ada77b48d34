#!/bin/sh
# A shop with a search of its own: what is added to its index, and what its shoppers get of it.
#
#   examples/shop/run.sh DIR      DIR holds Games.item.gz and Games-6k.test.inter.gz
set -eu
name=shop
. "$(dirname "$0")/../common.sh"
need_folder FROM "${1:-}" Games.item.gz
start_node
need_model

say "the shop as it was before: an index for its search, without vectors"
py examples/shop/prepare.py "$1" "$work"
py examples/shop/shop.py open "$work/games.jsonl"
py examples/shop/shop.py ask shop-games-v1 examples/shop/search.json "$work/before.json"

say "vectors and importance beside what is there (the first time, minutes)"
ask attach shop-games

say "the shop's own search answers as before"
py examples/shop/shop.py ask shop-games examples/shop/search.json "$work/after.json"
py examples/shop/shop.py same "$work/before.json" "$work/after.json"

say "the same search body for a shopper with a Wii: other hits come first, the facet stays"
ask_into "$work/personal.json" personalise 23236 --body examples/shop/search.json --send
py examples/shop/shop.py show "$work/personal.json"

say "what else this shopper may like"
ask recommend 23236 --show title --size 6

say "what the business wants of it: no accessories, Wii U first, and the game of the week on top"
ask recommend 23236 --show title --size 6 \
    --rule '{"do": "exclude", "field": "kind", "values": ["accessory"]}' \
    --rule '{"do": "boost", "field": "platform", "values": ["Wii U"], "factor": 1.5}' \
    --rule '{"do": "pin", "items": ["2552"], "position": 1}'

say "and not more than two for one platform"
ask --set 'exposure.caps=[{"field": "platform", "most": 2}]' recommend 23236 --show platform --size 6
