"""The formulas, without any server: python3 -m unittest discover -s bench/model"""

import unittest

from model import Load, limits, node, space


class ModelTest(unittest.TestCase):
    def test_a_broker_writes_each_record_once_and_a_node_twice(self):
        alone, leader = node(Load(size=1000, rate=1000, batch=10), True), node(Load(size=1000, rate=1000, batch=10, nodes=3), True)

        self.assertEqual(1000 * 1016 + 100 * 112, alone.disk)
        self.assertEqual(2 * alone.disk, leader.disk)

    def test_a_leader_sends_each_record_to_every_group_and_every_other_node(self):
        of = [node(Load(rate=1000, batch=10, groups=groups, nodes=nodes), True) for groups, nodes in ((0, 1), (1, 1), (3, 1), (1, 3))]
        once = of[1].network_out - of[0].network_out

        self.assertAlmostEqual(3 * once, of[2].network_out - of[0].network_out)
        self.assertAlmostEqual(3 * once, of[3].network_out - of[0].network_out)
        self.assertGreater(once, 1000 * 1024)

    def test_what_a_follower_takes_in_is_what_the_leader_sends_it(self):
        load = Load(nodes=3, groups=0, connections=0)

        self.assertAlmostEqual(node(load, True).network_out - node(Load(nodes=1, groups=0), True).network_out, 2 * node(load, False).network_in)

    def test_syncs_do_not_grow_with_the_load(self):
        slow, fast, mapped = Load(rate=100, batch=1), Load(rate=1_000_000, batch=1), Load(rate=1_000_000, durability="mapped")

        self.assertEqual(100, node(slow, True).syncs)
        self.assertEqual(node(Load(rate=2_000_000, batch=1), True).syncs, node(fast, True).syncs)
        self.assertEqual(1, node(mapped, True).syncs)

    def test_records_one_by_one_cost_what_batches_cost(self):
        one, full = Load(batch=1), Load()

        self.assertGreater(node(one, True).cpu, 10 * node(full, True).cpu)
        self.assertAlmostEqual(full.batch * node(full, True).messages, node(one, True).messages)

    def test_memory_grows_with_topics_connections_and_keys(self):
        least = space(Load(connections=0))["memory_mib"]

        for more in (Load(connections=1000), Load(connections=0, topics=1000), Load(connections=0, keys=1_000_000)):
            self.assertGreater(space(more)["memory_mib"], least)

    def test_the_limit_that_comes_first_is_named_first(self):
        self.assertIn("max-connections", limits(Load(rate=1, connections=20_000), 2, 500)[0][0])
        self.assertIn("disk", limits(Load(rate=50_000, size=16_384), 64, 100)[0][0])
        self.assertIn("shard", limits(Load(rate=2_000_000, size=128), 64, 5_000)[0][0])


if __name__ == "__main__":
    unittest.main()
