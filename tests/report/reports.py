"""A report with each kind of plot, tables and excerpts, and with what breaks pages."""

from real_cli.report.contents import Excerpt, ExcerptRow, Plot, PlotKind, Report, Section, Series, Table

SCRIPT = "</script><script>alert(1)</script>"
IMAGE = "<svg onload=alert(1)>"

HISTOGRAM = Plot(
    PlotKind.histogram, "Similarity", "cosine", "pairs", (Series("", (0.0, 0.25, 0.5, 1.0), (4, 9, 2)),), "n = 15."
)
CURVE = Plot(
    PlotKind.curve,
    "Budget",
    f"share of all the labels that the whole budget would buy {IMAGE}",
    "expected flips, $x^2$",
    (
        Series("easy", (0.1, 0.5, 1.0), (0.1, None, 0.3), (0.05, None, 0.2), (0.2, None, 0.4), (10, 0, 100)),
        Series(f"_hard {IMAGE}", (0.1, 0.5, 1.0), (0.2, 0.3, 0.4)),
    ),
    "n = 100; bands are 95% intervals.",
    baseline=0.25,
)
NAMES = (
    SCRIPT,
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk",
    "نموذج اللغة العربية",
    "日本語のモデル",
    "a\nb\0",
)
BARS = Plot(
    PlotKind.bars,
    "Wins",
    "model",
    "win rate",
    (Series("", NAMES, (0.4, -0.1, 0.5, None, 0.0), (0.3, -0.2, 0.4, None, None), (0.5, 0.1, 0.6, None, 0.2)),),
    "n = 40.",
    baseline=0.5,
)
RELIABILITY = Plot(
    PlotKind.reliability,
    "Calibration",
    "probability said",
    "share right",
    (Series("", (0.55, 0.65, 0.95), (0.5, 0.7, 0.9), (0.4, 0.6, 0.8), (0.6, 0.8, 1.0), (30, 20, 10)),),
    "n = 60.",
)
PLOTS = (HISTOGRAM, CURVE, BARS, RELIABILITY)
TABLE = Table(
    "By decile", ("decile", "n", "share"), (("b", 1200, 0.5), ("a", 30, None), ("c", 4, 0.48213)), "n = 1,234."
)
EXCERPT = Excerpt(
    "Least similar",
    (ExcerptRow("pairs.jsonl:3", SCRIPT, (("chosen", "word" * 100), ("rejected", IMAGE)), (("similarity", "0.1"),)),),
)
REPORT = Report(
    f"Label error {SCRIPT}",
    "3 of 15 labels are wrong.",
    (
        Section("Plots", IMAGE, PLOTS),
        Section("Numbers", "", (TABLE, Table("Nothing", ("x",), ()))),
        Section("Rows", "", (EXCERPT, Excerpt("None", ()))),
    ),
    (("command", "real eval labels " + "x" * 200), ("rows", "15")),
)
