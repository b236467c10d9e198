package io.spillway.broker.shard;

import static io.spillway.broker.shard.GroupAdministration.START_EARLIEST;
import static io.spillway.broker.shard.GroupAdministration.START_LATEST;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.AckItem;
import io.spillway.protocol.v1.GroupInfo;
import io.spillway.protocol.v1.Start;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Creating, altering, pausing and resuming groups, and their members' settings. */
@Timeout(60)
class GroupChangesTest {
    private static final Map<String, String> SETTINGS = Map.of("max.deliveries", "3", "retry.backoff.ms", "100..800");

    private ShardFixture shard;

    @BeforeEach
    void open(@TempDir Path directory) {
        shard = new ShardFixture(directory.resolve("shard"));
        shard.createTopic("orders", Map.of());
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private static GroupChange.Create create(int start, Map<String, String> settings) {
        return new GroupChange.Create(0, Start.newBuilder().setKind(start).build(), settings);
    }

    private static void assertRefused(Code code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOf(SpillwayException.class)
                .satisfies(e -> assertThat(((SpillwayException) e).code()).isEqualTo(code));
    }

    @Test
    void createsAGroupThatNobodyHasJoined() {
        shard.publish("orders", "a", "b");

        GroupInfo latest =
                shard.change("orders", "late", create(START_LATEST, SETTINGS)).group();
        GroupInfo earliest = shard.change("orders", "early", create(START_EARLIEST, Map.of()))
                .group();

        assertThat(latest.getConfigMap()).containsAllEntriesOf(SETTINGS).containsEntry("dlq.breaker.percent", "50");
        assertThat(latest.getMaxDeliveries()).isEqualTo(3);
        assertThat(latest.getPartitions(0).getBacklog()).isZero();
        assertThat(earliest.getPartitions(0).getBacklog()).isEqualTo(2);
    }

    @Test
    void createsTheSameGroupTwiceAndNoOtherInItsPlace() {
        GroupInfo first =
                shard.change("orders", "g", create(START_LATEST, SETTINGS)).group();

        GroupInfo again =
                shard.change("orders", "g", create(START_EARLIEST, SETTINGS)).group();

        assertThat(again).isEqualTo(first);
        assertRefused(
                Code.ALREADY_EXISTS,
                () -> shard.change("orders", "g", create(START_LATEST, Map.of("filter", "a = '1'"))));
        assertRefused(
                Code.ALREADY_EXISTS,
                () -> shard.change("orders", "g", new GroupChange.Create(2, Start.getDefaultInstance(), SETTINGS)));
        assertRefused(
                Code.INVALID_ARGUMENT,
                () -> shard.change("orders", "s", new GroupChange.Create(3, Start.getDefaultInstance(), SETTINGS)));
    }

    @Test
    void keepsAlteredSettingsThroughAKillAndARestart() {
        shard.change("orders", "g", create(START_LATEST, SETTINGS));

        GroupInfo altered = shard.change("orders", "g", new GroupChange.Alter(Map.of("max.deliveries", "9")))
                .group();
        shard.kill();
        GroupInfo afterKill = shard.group("orders", "g");
        shard.restart();
        GroupInfo afterRestart = shard.group("orders", "g");

        assertThat(altered.getConfigMap())
                .containsEntry("max.deliveries", "9")
                .containsEntry("retry.backoff.ms", "100..800");
        assertThat(afterKill).isEqualTo(altered);
        assertThat(afterRestart).isEqualTo(altered);
    }

    @Test
    void leavesTheSettingsOfAGroupAsTheyAreWhateverALaterMemberNames() {
        shard.join("orders", "g", Map.of("max.deliveries", "2"));
        GroupInfo before = shard.group("orders", "g");

        shard.join("orders", "g", Map.of("max.deliveries", "3", "max.inflight", "10"));

        GroupInfo after = shard.group("orders", "g");
        assertThat(after.getMembers()).isEqualTo(2);
        assertThat(after.getConfigMap()).isEqualTo(before.getConfigMap()).containsEntry("max.deliveries", "2");
        assertThat(after.getRevision()).isEqualTo(before.getRevision());
    }

    @Test
    void keepsWhatAnOperatorAlteredWhenAMemberComesAgainWithItsSettings() {
        Map<String, String> ofTheMember = Map.of("max.deliveries", "2", "max.inflight", "10");
        shard.join("orders", "g", ofTheMember);
        GroupInfo altered = shard.change("orders", "g", new GroupChange.Alter(Map.of("max.deliveries", "9")))
                .group();

        shard.join("orders", "g", ofTheMember);
        shard.kill();
        shard.join("orders", "g", ofTheMember);

        assertThat(shard.group("orders", "g").getConfigMap())
                .isEqualTo(altered.getConfigMap())
                .containsEntry("max.deliveries", "9")
                .containsEntry("max.inflight", "10");
    }

    @Test
    void refusesAMemberWhoseSettingsAreNoneAlsoWhenTheyWouldChangeNothing() {
        shard.join("orders", "g", Map.of());

        assertRefused(Code.INVALID_ARGUMENT, () -> shard.join("orders", "g", Map.of("max.inflght", "1")));
        assertRefused(Code.INVALID_ARGUMENT, () -> shard.join("orders", "g", Map.of("max.deliveries", "1001")));
        assertThat(shard.group("orders", "g").getMembers()).isEqualTo(1);
    }

    @Test
    void takesNoMemberWithAnotherFilter() {
        shard.join("orders", "g", Map.of("filter", "a = '1'"));

        shard.join("orders", "g", Map.of());
        shard.join("orders", "g", Map.of("filter", "a = '1'"));

        assertRefused(Code.WRONG_STATE, () -> shard.join("orders", "g", Map.of("filter", "a = '2'")));
        assertThat(shard.group("orders", "g").getMembers()).isEqualTo(2 + 1);
        assertThat(shard.change("orders", "g", new GroupChange.Alter(Map.of("filter", "a = '2'")))
                        .group()
                        .getConfigMap())
                .containsEntry("filter", "a = '2'");
    }

    @Test
    void changesNothingForWhoReadAnOlderRevision() {
        shard.change("orders", "g", create(START_LATEST, SETTINGS));

        assertRefused(
                Code.REVISION_MISMATCH,
                () -> shard.ask((Reply<GroupChange.Done> reply) -> new ShardCommand.ChangeGroup(
                        shard.topicId("orders"), "g", new GroupChange.Pause(), 7, "", reply)));
    }

    @Test
    void answersAnAlterationAgainWhenItsAnswerWasLost() {
        long before = shard.change("orders", "g", create(START_LATEST, SETTINGS))
                .group()
                .getRevision();
        GroupInfo altered = alter(before, "9");

        GroupInfo again = alter(before, "9");
        shard.kill();
        GroupInfo afterKill = alter(before, "9");

        assertThat(altered.getRevision()).isEqualTo(before + 1);
        assertThat(again).isEqualTo(altered);
        assertThat(afterKill).isEqualTo(altered);
        assertRefused(Code.REVISION_MISMATCH, () -> alter(before, "8"));
        assertThat(alter(altered.getRevision(), "8").getRevision()).isEqualTo(before + 2);
        assertRefused(Code.REVISION_MISMATCH, () -> alter(before, "8"));
    }

    private GroupInfo alter(long expectRevision, String maxDeliveries) {
        GroupChange alter = new GroupChange.Alter(Map.of("max.deliveries", maxDeliveries));
        return shard.ask((Reply<GroupChange.Done> reply) ->
                        new ShardCommand.ChangeGroup(shard.topicId("orders"), "g", alter, expectRevision, "", reply))
                .group();
    }

    @Test
    void deliversNothingWhileItIsPausedAndGoesOnWhenItIsResumed() {
        shard.publish("orders", "a");
        TestMember member = shard.join("orders", "g", Map.of());
        assertThat(member.take()).hasSize(1);

        GroupInfo paused = shard.change("orders", "g", new GroupChange.Pause(), "shop is closed")
                .group();
        shard.publish("orders", "b");
        shard.pass(100);

        assertThat(member.take()).isEmpty();
        assertThat(paused.getPaused()).isTrue();
        assertThat(paused.getPauseReason()).isEqualTo("ADMIN: shop is closed");
        assertThat(paused.getPausedUnixMs()).isPositive();
        assertThat(shard.change("orders", "g", new GroupChange.Resume()).group().getPaused())
                .isFalse();
        shard.step();
        assertThat(member.take()).extracting(TestMember.Delivered::value).containsExactly("b");
    }

    @Test
    void takesAcksAndEndsLeasesWhileItIsPaused() {
        shard.publish("orders", "a", "b");
        TestMember member = shard.join("orders", "g", 0, 1_000, Map.of());
        List<TestMember.Delivered> both = member.take();
        shard.change("orders", "g", new GroupChange.Pause());

        assertThat(shard.settle(member, both.get(0), AckItem.newBuilder())).isEmpty();
        shard.pass(1_000);

        GroupInfo group = shard.group("orders", "g");
        assertThat(group.getAcked()).isEqualTo(1);
        assertThat(group.getPartitions(0).getInFlight()).isZero();
        assertThat(group.getPartitions(0).getWaitingRetry()).isEqualTo(1);
        assertThat(member.take()).isEmpty();
    }

    @Test
    void staysPausedThroughAKillAndARestart() {
        shard.change("orders", "g", create(START_EARLIEST, Map.of()));
        GroupInfo paused =
                shard.change("orders", "g", new GroupChange.Pause(), "why").group();
        shard.publish("orders", "a");

        shard.kill();
        TestMember member = shard.join("orders", "g", Map.of());
        assertThat(member.take()).isEmpty();
        shard.restart();
        GroupInfo restarted = shard.group("orders", "g");

        assertThat(restarted.getPauseReason()).isEqualTo(paused.getPauseReason());
        assertThat(restarted.getPausedUnixMs()).isEqualTo(paused.getPausedUnixMs());
        shard.change("orders", "g", new GroupChange.Resume());
        shard.kill();
        assertThat(shard.group("orders", "g").getPaused()).isFalse();
    }

    @Test
    void keepsTheFirstReasonOfAPause() {
        shard.change("orders", "g", create(START_EARLIEST, Map.of()));
        shard.change("orders", "g", new GroupChange.Pause(), "first");

        GroupInfo paused =
                shard.change("orders", "g", new GroupChange.Pause(), "second").group();

        assertThat(paused.getPauseReason()).isEqualTo("ADMIN: first");
    }

    @Test
    void showsItsMembers() {
        shard.publish("orders", "a", "b");
        shard.join("orders", "g", 0, 7_000, Map.of());

        GroupInfo group = shard.group("orders", "g");

        assertThat(group.getMemberListList()).singleElement().satisfies(member -> {
            assertThat(member.getName()).isEqualTo("tester");
            assertThat(member.getActive()).isTrue();
            assertThat(member.getInFlight()).isEqualTo(2);
            assertThat(member.getLeaseMs()).isEqualTo(7_000);
        });
    }

    @Test
    void countsWhatWasAckedForEver() {
        shard.publish("orders", "a", "b", "c");
        TestMember member = shard.join("orders", "g", Map.of());
        for (TestMember.Delivered record : member.take()) {
            shard.settle(member, record, AckItem.newBuilder());
        }

        shard.kill();
        assertThat(shard.group("orders", "g").getAcked()).isEqualTo(3);
        shard.restart();

        assertThat(shard.group("orders", "g").getAcked()).isEqualTo(3);
    }
}
