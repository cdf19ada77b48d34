"""The report: every figure of the JSON is on the page, nothing is fetched, no text is trusted."""

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from seealso.cli.context import plain
from seealso.cli.main import main
from seealso.datasets.intervals import Estimate
from seealso.errors import MissingExtraError
from seealso.evaluation.report import FIGURES, REPORT, as_page, write_report
from seealso.evaluation.report.plots import scores as drawn_scores
from seealso.evaluation.report.wording import verdict
from seealso.evaluation.results import Evaluation, Example, ProtocolResult
from seealso.evaluation.scores import BeyondAccuracy, Bin, PairedTest, Reliability, Score, Tuned
from tests.clubs import Clubs

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }} &amp;"
SYSTEMS = ("popularity", "ease", "seealso", "seealso, no tail share")
METRICS = ("hr@10", "hr@20", "ndcg@10", "ndcg@20", "mrr@20", "recall@20")
PARTS = ("all", "head items", "tail items")
COMPARED = tuple((own, other) for own in SYSTEMS[2:] for other in SYSTEMS[:2])


def estimates(start):
    """Return a different number for each metric."""
    return {
        name: Estimate(
            start + place / 1000, start + place / 1000 - 0.01, start + place / 1000 + 0.02
        )
        for place, name in enumerate(METRICS)
    }


def protocol(name="leave-one-out", change=(0.012, 0.008, 0.016), seed=0, **more):
    difference = Estimate(*change)
    cold = 10 if name.startswith("cold") else 0
    return ProtocolResult(
        name=name,
        split="dev",
        users=608,
        items=9742,
        cold_items=cold,
        scores=tuple(
            Score(system, part, 608 - 100 * p, estimates(0.1 + seed + 0.0731 * s + 0.0107 * p))
            for s, system in enumerate(SYSTEMS)
            for p, part in enumerate(PARTS[:1] if name.startswith("few") else PARTS)
        ),
        pairings=tuple(
            PairedTest(own, other, metric, difference, 0.0312)
            for own, other in COMPARED
            for metric in ("ndcg@10", "ndcg@20")
        ),
        tuned=(Tuned("ease", {"regularisation": 250.0, "recency": 0.85}, 0.07341, 32),),
        beyond_accuracy=tuple(
            BeyondAccuracy(system, 0.187 + s / 100, 5.3 + s, -0.113, {
                "head": 0.503, "middle": 0.301, "tail": 0.196, f"genre: {HOSTILE}": 0.0617,
            })
            for s, system in enumerate(SYSTEMS)
        ),
        reliability=(Reliability("seealso", 0.0123, (Bin(0.01, 0.02, 406, 0.0153, 0.0171),)),),
        examples=(Example("u1", ("Old", HOSTILE), "Next", {
            "ease": ("Other", "Next"), "seealso": (HOSTILE, "Next"), "popularity": ("Hidden",),
        }),),
        notes=(f"note {HOSTILE}",),
        ours=SYSTEMS[2:],
    )  # fmt: skip


def whole():
    protocols = (
        protocol(),
        protocol("few-shot 1", seed=0.21),
        protocol("few-shot 5", seed=0.33),
        protocol("cold", seed=0.42),
    )
    return Evaluation("abc", {"items": 9742, "bundle": HOSTILE, "seed": 17}, protocols, 12.5)


class Page(HTMLParser):
    """Collects text, tags and scripts."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.scripts, self.words = [], [], []
        self._into = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self.scripts.append((tag, dict(attrs), ""))
            self._into = tag

    def handle_endtag(self, tag):
        if tag == self._into:
            self._into = None

    def handle_data(self, data):
        if self._into is None:
            self.words.append(data)
        else:
            tag, attrs, text = self.scripts[-1]
            self.scripts[-1] = (tag, attrs, text + data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())

    def running(self):
        return [
            text
            for tag, attrs, text in self.scripts
            if tag == "script" and attrs.get("type") != "application/json"
        ]

    def figures(self):
        return {
            attrs["id"]: json.loads(text)
            for tag, attrs, text in self.scripts
            if attrs.get("type") == "application/json"
        }


@pytest.fixture(scope="module")
def page():
    return Page(as_page(whole()))


def test_every_figure_of_the_json_is_on_the_page(page):
    for one in whole().protocols:
        for score in one.scores:
            found = score.metrics[one.headline]
            assert f"{found.mean:.4f} ({found.low:.4f} to {found.high:.4f})" in page.text
        if one.name.startswith("few-shot"):
            continue
        for score in one.scores:
            assert score.part != "all" or f"{score.metrics['hr@10'].mean:.4f}" in page.text
        for more in one.beyond_accuracy:
            assert (
                f"{more.coverage:.3f} {more.novelty:.1f} {more.popularity_bias:+.3f}" in page.text
            )
            assert all(f"{share:.1%}" in page.text for share in more.exposure.values())
    for figure in (
        "+0.0120 (+0.0080 to +0.0160)", "0.0312", "0.0153", "0.0171", "406", "0.012",
        "regularisation 250, recency 0.85", "0.0734", "9,742", "608",
    ):  # fmt: skip
        assert figure in page.text


def test_the_headline_comes_first_and_says_who_wins(page):
    first = "seealso beats the best baseline, ease, by 7 % NDCG@10 (5 to 9 %)."
    assert page.text.index(first) < page.text.index("Who ranks best")
    assert "35.1 % of the lists" not in page.text
    assert "24.6 % of the lists of seealso and in 17.3 % of the lists of ease" in page.text


def test_nothing_is_fetched(page):
    assert not {"link", "img", "iframe", "object", "base", "form"} & {tag for tag, _ in page.tags}
    for tag, attrs in page.tags:
        assert "src" not in attrs
        assert attrs.get("href", "#").startswith("#"), tag
    (style,) = [text for tag, _, text in page.scripts if tag == "style"]
    assert "url(" not in style
    assert "@import" not in style
    (policy,) = [
        attrs["content"]
        for tag, attrs in page.tags
        if attrs.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "http" not in policy
    assert "script-src 'unsafe" not in policy
    # only these two scripts may run, and they are what the policy has allowed
    plotly, own = page.running()
    for script in (plotly, own):
        assert f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'" in policy
    assert "Plotly.newPlot" in own
    assert "http" not in own


def test_no_text_of_users_or_items_becomes_markup(page):
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)
    assert len(page.running()) == 2
    shown = " ".join(HOSTILE.split())
    # fact, note, exposure, history and list of each of two chapters, at least
    assert page.text.count(shown) >= 9
    assert "49" not in page.text.split("Examples to read")[1].split("What the words")[0]
    labels = [
        label
        for figure in page.figures().values()
        for trace in figure["data"]
        for label in trace.get("y", [])
        if "genre" in str(label)
    ]
    assert labels
    assert not any("<" in label for label in labels)


def test_each_place_for_a_plot_has_its_figure(page):
    places = [attrs["data-figure"] for _, attrs in page.tags if "data-figure" in attrs]
    figures = page.figures()
    # five in each of the chapters leave-one-out and cold, and the one of few-shot
    assert len(places) == 11
    assert sorted(places) == sorted(figures)
    bars = figures[places[0]]["data"][0]
    metrics = {one.system: one.metrics["ndcg@10"] for one in protocol().scores if one.part == "all"}
    assert dict(zip(bars["y"], bars["x"], strict=True)) == {k: v.mean for k, v in metrics.items()}
    for name, up, down in zip(
        bars["y"], bars["error_x"]["array"], bars["error_x"]["arrayminus"], strict=True
    ):
        assert metrics[name].mean + up == pytest.approx(metrics[name].high)
        assert metrics[name].mean - down == pytest.approx(metrics[name].low)


def test_the_best_stands_on_top():
    found = drawn_scores(protocol()).data[0]
    assert list(found.x) == sorted(found.x)
    assert found.y[-1] == "seealso, no tail share"


def test_examples_show_the_product_beside_the_best_baseline_with_hits_marked(page):
    text = page.text.split("Examples to read")[1]
    assert "chosen before, newest first Old" in text
    assert "Hidden" not in text
    marked = [attrs for tag, attrs in page.tags if attrs.get("class") == "hit" and tag == "span"]
    # a list of ours and of ease in two chapters, and the word that explains it in each
    assert len(marked) == 2 * 2 + 2


@pytest.mark.parametrize(
    ("change", "says", "stands"),
    [
        ((0.0173, 0.00865, 0.0346), "seealso beats the best baseline, ease, by 10 % NDCG@10 "
         "(5 to 20 %).", "better"),
        ((-0.0173, -0.0346, -0.00865), "seealso stays behind the best baseline, ease, by 10 % "
         "NDCG@10 (5 to 20 %).", "worse"),
        ((0.00173, -0.0173, 0.0346), "seealso and the best baseline, ease, cannot be "
            "distinguished: the difference, +1 % NDCG@10 (-10 to +20 %), may be chance.", "alike"),
        ((-0.15, -0.2, -0.1), "seealso stays behind the best baseline, ease, by 87 % NDCG@10 "
         "(58 to 100 %).", "worse"),
    ],
)  # fmt: skip
def test_the_verdict_is_what_the_interval_allows(change, says, stands):
    one = protocol(change=change)
    level = replace(
        one,
        scores=tuple(
            replace(s, metrics={name: Estimate(0.173, 0.17, 0.18) for name in METRICS})
            if s.system == "ease"
            else replace(s, metrics={name: Estimate(0.1, 0.1, 0.1) for name in METRICS})
            for s in one.scores
        ),
    )
    found = verdict(level)
    assert found.text.replace("\u00a0", " ") == says
    assert found.standing == stands


def test_a_baseline_that_finds_nothing_is_no_divisor():
    one = protocol()
    nothing = tuple(
        replace(s, metrics=dict.fromkeys(METRICS, Estimate(0.0, 0.0, 0.0)))
        if s.system in SYSTEMS[:2]
        else s
        for s in one.scores
    )
    found = verdict(replace(one, scores=nothing)).text
    assert (
        found
        == "seealso beats the best baseline, popularity, by 0.0120 NDCG@10 (0.0080 to 0.0160)."
    )


@pytest.mark.parametrize(
    ("names", "ours", "says"),
    [
        (SYSTEMS[2:3], SYSTEMS[2:3], "seealso reaches NDCG@10 0.2482 (0.2382 to 0.2682); no "),
        (SYSTEMS[:2], (), "The best of the baselines, ease, reaches NDCG@10 0.1751 (0.1651 to "),
    ],
)
def test_who_is_alone_is_compared_with_nobody(names, ours, says):
    one = protocol()
    alone = replace(
        one,
        scores=tuple(s for s in one.scores if s.system in names),
        beyond_accuracy=tuple(b for b in one.beyond_accuracy if b.system in names),
        reliability=(),
        tuned=(),
        pairings=(),
        ours=ours,
    )
    found = Page(as_page(replace(whole(), protocols=(alone,))))
    assert says in found.text
    assert verdict(alone).standing == "alike"
    assert not ({*SYSTEMS} - {*names}) & {*found.words}


def test_it_is_written_whole_beside_its_figures(tmp_path):
    folder = tmp_path / "deep" / "report"
    for _ in range(2):
        file = write_report(whole(), folder)
        assert file == folder / REPORT
        assert sorted(one.name for one in folder.iterdir()) == [FIGURES, REPORT]
    assert file.read_text(encoding="utf-8") == as_page(whole())
    assert json.loads((folder / FIGURES).read_bytes()) == json.loads(json.dumps(plain(whole())))


def test_without_plotly_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("seealso.evaluation.report.writing.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="plotly is not installed") as missing:
        write_report(whole(), tmp_path / "never")
    assert missing.value.hint == "pip install 'seealso[evaluate]'"
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_and_opens_it(tmp_path, monkeypatch, capsys):
    clubs = Clubs.found(tmp_path)
    opened = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("click.launch", opened.append)
    asked = ["--config", str(clubs.config), "evaluate", "--no-index", "--baseline", "popularity"]
    main([*asked, "--baseline", "itemknn"])
    assert not (tmp_path / ".seealso" / "evaluation").exists()
    main([*asked, "--open", "--json"])
    assert opened == [str(tmp_path.relative_to(tmp_path) / ".seealso" / "evaluation" / REPORT)]
    shown = capsys.readouterr()
    assert "report: .seealso" in shown.err
    figures = json.loads((tmp_path / opened[0]).with_name(FIGURES).read_bytes())
    assert figures == json.loads(shown.out.splitlines()[-1])
    main([*asked, "--out", str(tmp_path / "own")])
    assert "The best of the baselines, popularity," in (tmp_path / "own" / REPORT).read_text(
        "utf-8"
    )
    assert len(opened) == 1
