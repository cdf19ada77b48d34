"""The page of the report as a template: styles and a few lines of script, nothing from elsewhere.

It follows the light or dark setting of whoever reads it, and is readable without any script.
"""

from typing import Final

SCRIPT: Final = """
"use strict";
const plots = [...document.querySelectorAll(".plot")];
for (const plot of plots) {
  const figure = JSON.parse(document.getElementById(plot.dataset.figure).textContent);
  const options = { displayModeBar: false, displaylogo: false, responsive: true };
  Plotly.newPlot(plot, figure.data, figure.layout, options).then(paint);
}
function paint() {
  const ink = getComputedStyle(document.body).color;
  for (const plot of plots) {
    if (!plot.layout) continue;
    const sure = plot.data.flatMap((one, n) => (one.error_x || one.error_y ? [n] : []));
    if (sure.length) Plotly.restyle(plot, { "error_x.color": ink, "error_y.color": ink }, sure);
    Plotly.relayout(plot, { "font.color": ink, "legend.font.color": ink });
  }
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
"""
"""Draws every plot; its text takes the colour of the page."""

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1e21; --page: #fff; --soft: #6b7280; --line: #d8dbe0;
  --card: #f6f7f9; --ours: #c2410c; --better: #15803d; --worse: #b91c1c; --hit: #fde68a }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --page: #16181c; --soft: #9aa3af;
  --line: #353a42; --card: #1f2329; --ours: #fb923c; --better: #4ade80; --worse: #f87171;
  --hit: #6b4e00 } }
body { font: 16px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--page);
  max-width: 72rem; margin: 2rem auto; padding: 0 1.2rem }
h1 { font-size: 1.1rem; color: var(--soft); font-weight: 600; margin-bottom: 0 }
h2 { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line) }
h3 { margin: 2rem 0 .3rem; font-size: 1.05rem }
.verdict { font-size: 1.6rem; line-height: 1.3; font-weight: 650; margin: .3rem 0 .6rem }
.soft { color: var(--soft) } .better { color: var(--better) } .worse { color: var(--worse) }
.note { border-left: 4px solid var(--ours); background: var(--card); padding: .5rem .9rem }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 14px }
th, td { padding: .25rem .9rem .25rem 0; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0;
  background: var(--page) } th { border-bottom: 1px solid var(--line) }
.words td { text-align: left } .words th { text-align: left }
tr.ours { font-weight: 650; color: var(--ours) }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(13rem, 42%), 1fr));
  gap: .6rem 1.5rem }
dl div { border-left: 3px solid var(--line); padding-left: .7rem }
dt { color: var(--soft); font-size: 13px } dd { margin: 0; overflow-wrap: anywhere }
.plot { margin-bottom: .6rem }
details { margin: .4rem 0 } summary { cursor: pointer; color: var(--soft) }
.person { background: var(--card); border-radius: 8px; padding: .8rem 1.1rem; margin: 1rem 0 }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1.2rem }
.sides h4 { margin: .5rem 0 .2rem; font-size: 14px } .sides ol, .sides ul { margin: 0;
  padding-left: 1.5rem; font-size: 14px; overflow-wrap: anywhere }
.hit { background: var(--hit); font-weight: 650 }
ul.protocols { padding-left: 1.2rem } a { color: inherit }
"""

PAGE: Final = """
{%- macro figures(table, kind="") -%}
<div class="wide"><table class="{{ kind }}"><thead><tr>
{%- for name in table.columns %}<th>{{ name }}</th>{% endfor %}</tr></thead><tbody>
{%- for row in table.rows %}
<tr{% if row.ours %} class="ours"{% endif %}>
{%- for cell in row.cells %}<td>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}</tbody></table></div>
{%- endmacro -%}
{%- macro drawn(plot) -%}
<div class="plot" data-figure="{{ plot.name }}"></div>
<script type="application/json" id="{{ plot.name }}">{{ plot.figure|safe }}</script>
{%- endmacro -%}
{%- macro read(people, words) -%}
<p class="soft">{{ words }} <span class="hit">Marked</span> is what they chose next.</p>
{% for person in people %}<div class="person"><div>Chose next: <b>{{ person.target }}</b></div>
<div class="sides"><div><h4>chosen before, newest first</h4><ul>
{%- for title in person.history %}<li>{{ title }}</li>{% endfor %}</ul></div>
{% for side in person.sides %}<div><h4>{{ side.system }}</h4><ol>
{%- for title in side.titles %}
<li{% if title in side.same %} class="soft"{% endif %}>
<span{% if title == person.target %} class="hit"{% endif %}>{{ title }}</span></li>
{%- endfor %}</ol></div>
{% endfor %}</div></div>
{% endfor %}
{%- endmacro -%}
{%- macro folded(open, people, words) -%}
{% if open %}{{ read(people, words) }}
{% else %}<details><summary>the users</summary>{{ read(people, words) }}</details>{% endif %}
{%- endmacro -%}
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>seealso evaluate</title>
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{{ style|safe }}</style></head><body>
<h1>seealso evaluate</h1>
{% if protocols[0].changed %}<p class="verdict {{ protocols[0].changed_standing }}">
{{- protocols[0].changed }}</p>
<p class="{{ protocols[0].standing }}"><b>{{ protocols[0].verdict }}</b></p>
{% else %}<p class="verdict {{ protocols[0].standing }}">{{ protocols[0].verdict }}</p>
{% endif %}
<p>{{ protocols[0].in_lists }} Asked were {{ protocols[0].users }} users, about the choice that each
made next; {{ protocols[0].items }} items were ranked for each. Ranges are 95 % intervals.
{%- if asked == "dev" %} The questions are those of dev, by which settings were chosen: they flatter
what was tuned on them.{% endif %}</p>
{% if protocols|length > 1 %}<ul class="protocols">{% for protocol in protocols[1:] %}
<li><a href="#{{ protocol.anchor }}">{{ protocol.name }}</a>:
{% if protocol.changed %}<span class="{{ protocol.changed_standing }}">{{ protocol.changed }}</span>
{% endif %}<span class="{{ protocol.standing }}">{{ protocol.verdict }}</span></li>
{%- endfor %}</ul>{% endif %}
{% if changed.rows %}{{ figures(changed, "words") }}{% endif %}
<dl>{% for name, value in facts %}
<div><dt>{{ name }}</dt><dd>{{ value }}</dd></div>{% endfor %}</dl>
{% for protocol in protocols %}
<h2 id="{{ protocol.anchor }}">{{ protocol.name }}</h2>
<p>{{ protocol.question }} <span class="soft">{{ protocol.split }}: {{ protocol.users }} users,
{{ protocol.items }} items{{ protocol.cold }}.</span></p>
{% if protocol.changed %}<p class="{{ protocol.changed_standing }}">
<b>{{ protocol.changed }}</b></p>{% endif %}
<p class="{{ protocol.standing }}"><b>{{ protocol.verdict }}</b></p>
{% for note in protocol.notes %}<p class="note">{{ note }}</p>{% endfor %}
{% for part in protocol.parts %}
{% if part.heading %}<h3>{{ part.heading }}</h3>{% endif %}
{% if part.words %}<p class="soft">{{ part.words }}</p>{% endif %}
{% if part.plot %}{{ drawn(part.plot) }}{% endif %}
{% if part.folded %}<details><summary>the figures</summary>{{ figures(part.table, part.kind) }}
</details>{% else %}{{ figures(part.table, part.kind) }}{% endif %}
{% endfor %}
{% if protocol.contrasts %}<h3>Lists before and after</h3>
{{ folded(loop.first, protocol.contrasts, "First the users whose lists changed most, then those
for whom what they chose next moved most. What both lists show stands in grey.") }}{% endif %}
{% if protocol.people %}<h3>Examples to read</h3>
{{ folded(loop.first, protocol.people, "Users who were drawn, not picked.") }}{% endif %}
{% endfor %}
<h2>What the words mean</h2>
<dl>
<div><dt>HR@10</dt><dd>share of the lists of ten that hold what was chosen next</dd></div>
<div><dt>NDCG@10, NDCG@20</dt><dd>the same, counting more the further up it stands; 1 would be
always on top</dd></div>
<div><dt>p</dt><dd>how likely so large a difference would be if both ranked alike</dd></div>
<div><dt>coverage</dt><dd>share of the catalogue that anybody was shown</dd></div>
<div><dt>novelty</dt><dd>how little known the items shown are, in bits</dd></div>
<div><dt>bias</dt><dd>above 0: items shown are more popular than what people choose</dd></div>
<div><dt>ECE</dt><dd>how far probabilities are from what came true, on average</dd></div>
</dl>
<script>{{ plotly|safe }}</script>
<script>{{ script|safe }}</script>
</body></html>
"""
