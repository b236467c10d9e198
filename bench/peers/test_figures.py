"""What bench/peers/run computes and writes, without any server: python3 -m unittest discover -s bench/peers"""

import re
import tempfile
import unittest
import xml.dom.minidom
from pathlib import Path

from runner import report
from runner.cases import CASES, CONTESTANTS, LATENCY, SETUPS
from runner.figures import Figure, collect, median, number, percentile, plot, table
from runner.main import Run, arguments


def acked(contestant, per_second, **more):
    return {"setup": "default", "case": "publish-128-1", "contestant": contestant, "acked_per_s": per_second, "rss_mib": 100.0, **more}


class FiguresTest(unittest.TestCase):
    def test_a_percentile_is_the_least_value_that_so_many_are_not_above(self):
        values = list(range(1, 1001))

        self.assertEqual(500, percentile(values, 50))
        self.assertEqual(990, percentile(values, 99))
        self.assertEqual(1000, percentile(values, 100))
        self.assertEqual(1, percentile(values, 0))

    def test_the_median_of_three_rounds_is_the_one_in_the_middle_whatever_their_order(self):
        self.assertEqual(7, median([90, 7, 1]))

    def test_a_number_is_short_and_keeps_a_hundredth(self):
        self.assertEqual(["3,336k", "838.0k", "9,999", "152", "34.2", "0.571"], [number(n) for n in (3_336_091, 838_000, 9_999, 152.4, 34.24, 0.5712)])

    def test_a_row_has_medians_and_says_who_cannot_and_who_failed(self):
        measured = [acked("a", 1000.0), acked("a", 3000.0), acked("a", 2000.0), {"contestant": "b", "unable": "why"}, {"contestant": "c", "failed": "why"}]

        cells = collect(measured, lambda each: each.get("acked_per_s"))

        self.assertEqual("2,000 (1,000 .. 3,000)", cells["a"].words())
        self.assertEqual(("-", "failed"), (cells["b"], cells["c"]))

    def test_a_contestant_that_failed_once_keeps_the_rounds_that_did_not(self):
        cells = collect([acked("a", 1000.0), {"contestant": "a", "failed": "why"}], lambda each: each.get("acked_per_s"))

        self.assertEqual([1000.0], cells["a"].values)

    def test_a_rate_that_was_not_sustained_has_no_latency(self):
        value = next(value for name, _, value in LATENCY if name == "to the ack, p99")
        held = {"contestant": "a", "sustained": True, "ack_us": {"p99": 100.0, "count": 9}}
        missed = {"contestant": "b", "sustained": False, "ack_us": {"p99": 9e6, "count": 9}}

        cells = collect([held, missed], value)

        self.assertEqual("100", cells["a"].words())
        self.assertEqual("not sustained", cells["b"])

    def test_a_table_has_a_column_for_each_contestant_also_for_one_without_a_figure(self):
        lines = table("records/s", [("publish", {"a": Figure([1500.0])})], ["a", "b"]).splitlines()

        self.assertEqual(["| records/s | a | b |", "|---|---:|---:|", "| publish | 1,500 |  |"], lines)

    def test_a_plot_is_xml_with_bars_as_long_as_their_medians(self):
        svg = plot("a & b", "records/s", [("publish", {"a": Figure([200.0]), "b": Figure([100.0])})], ["a", "b"])

        rectangles = xml.dom.minidom.parseString(svg).getElementsByTagName("rect")
        long, short = (float(each.getAttribute("width")) for each in rectangles[1:])
        self.assertAlmostEqual(2, long / short, places=1)


class RunTest(unittest.TestCase):
    def test_filters_pick_whole_names(self):
        run = Run(arguments(["--peers", "kafka|nats", "--cases", "publish-128-1", "--setups", "default"]))

        self.assertEqual(["kafka", "nats"], [each.name for each in run.contestants])
        self.assertEqual(["publish-128-1"], [each.name for each in run.cases])
        self.assertEqual(["default"], [each.name for each in run.setups])

    def test_quick_is_the_telling_cases_or_those_that_are_named(self):
        telling = Run(arguments(["--quick"]))
        named = Run(arguments(["--quick", "--cases", "topics-2000"]))

        self.assertIn("publish-1024-1", [each.name for each in telling.cases])
        self.assertNotIn("topics-2000", [each.name for each in telling.cases])
        self.assertEqual(["topics-2000"], [each.name for each in named.cases])

    def test_limits_take_no_part_where_they_mean_nothing(self):
        run = Run(arguments([]))
        cluster = next(each for each in SETUPS if each.name == "cluster")

        self.assertFalse({"chronicle", "echo"} & {each.name for each in run.contestants_of(cluster)})

    def test_every_case_is_in_setups_that_exist_and_no_name_is_there_twice(self):
        setups = {each.name for each in SETUPS}

        self.assertEqual([], [case.name for case in CASES if not case.setups or set(case.setups) - setups])
        for names in ([each.name for each in CASES], [each.name for each in CONTESTANTS], [each.name for each in SETUPS]):
            self.assertEqual(len(names), len(set(names)))

    def test_a_report_has_tables_plots_and_the_reasons_for_gaps(self):
        with tempfile.TemporaryDirectory() as out:
            text, plots = self.report(out)

        self.assertRegex(text, r"\| publish 128 B, 1 producer: acked \| 1,000 \| failed \|")
        self.assertIn("no disk", text)
        self.assertIn("default-throughput.svg", plots)
        self.assertIsNone(re.search("run it again", text))

    def test_runs_of_one_setup_each_make_one_report(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other, tempfile.TemporaryDirectory() as both:
            for out, setup in ((one, "default"), (other, "synced")):
                part = Run(arguments(["--out", out]))
                part.measurements = [acked("nats", 1000.0, round=1) | {"setup": setup}]
                report.write(part)
            run = Run(arguments(["--out", both]))
            run.read([one, other])
            report.write(run)
            text = (Path(both) / "tables.md").read_text()

        self.assertEqual(["default", "synced"], [each.name for each in run.setups])
        self.assertEqual(2, len(re.findall(r"publish 128 B, 1 producer: acked \| 1,000", text)))

    def report(self, out):
        run = Run(arguments(["--peers", "kafka|nats", "--cases", "publish-128-1", "--out", out]))
        run.measurements = [acked("kafka", 1000.0, round=1, others_percent=3.0, idle_peers_percent=1.0),
                            {"setup": "default", "case": "publish-128-1", "contestant": "nats", "round": 1, "failed": "no disk"}]
        report.write(run)
        return (Path(out) / "tables.md").read_text(), [each.name for each in Path(out).glob("*.svg")]


if __name__ == "__main__":
    unittest.main()
