package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.auth.Access;
import io.spillway.broker.auth.AccessRule;
import io.spillway.broker.auth.Credential;
import io.spillway.broker.auth.Operation;
import io.spillway.broker.auth.Resource;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Scram;
import java.nio.file.Path;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Users, rules and revoked tokens are what the log and its snapshots say. */
class AccessRecordsTest {
    private static final byte[] SALT = {1, 2, 3};
    private static final AccessRule RULE =
            new AccessRule(true, "billing", Resource.TOPIC, "orders", true, Operation.READ);
    private static final AccessRule DENIAL =
            new AccessRule(false, "billing", Resource.TOPIC, "orders", true, Operation.READ);

    @TempDir
    Path directory;

    private ShardFixture shard;

    @BeforeEach
    void open() {
        shard = new ShardFixture(directory.resolve("shard"));
    }

    @AfterEach
    void close() {
        shard.close();
    }

    private void change(AccessChange change) {
        shard.ask((Reply<Boolean> reply) -> new ShardCommand.ChangeAccess(change, reply));
    }

    private Access access() {
        return shard.state().operators.access.view();
    }

    private static Credential user(String password) {
        return new Credential("billing", SALT, Scram.MIN_ITERATIONS, Scram.keys(password, SALT, Scram.MIN_ITERATIONS));
    }

    @Test
    void whatWasSaidHoldsAfterARestartAndAfterAKill() {
        change(new AccessChange.PutUser(user("first")));
        change(new AccessChange.PutRule(RULE));
        change(new AccessChange.Revoke("t1", Long.MAX_VALUE));
        shard.restart();
        change(new AccessChange.PutUser(user("second")));
        shard.kill();

        Credential known = Objects.requireNonNull(access().users().get("billing"));
        assertThat(known.line()).isEqualTo(user("second").line());
        assertThat(access().rules().all()).containsExactly(RULE);
        assertThat(access().revoked()).containsOnlyKeys("t1");
    }

    @Test
    void theLaterOfTwoRulesOfTheSameThingCountsAndBothAreTakenAwayAlike() {
        change(new AccessChange.PutRule(RULE));
        change(new AccessChange.PutRule(DENIAL));
        assertThat(access().rules().all()).containsExactly(DENIAL);

        change(new AccessChange.DropRule(RULE));
        shard.restart();

        assertThat(access().rules().all()).isEmpty();
        assertThatThrownBy(() -> change(new AccessChange.DropRule(RULE)))
                .isInstanceOf(SpillwayException.class)
                .hasMessageContaining("no rule billing topic orders* read");
    }

    @Test
    void whoIsDeletedIsGone() {
        change(new AccessChange.PutUser(user("first")));
        change(new AccessChange.DropUser("billing"));
        shard.kill();

        assertThat(access().users()).isEmpty();
        assertThatThrownBy(() -> change(new AccessChange.DropUser("billing")))
                .isInstanceOf(SpillwayException.class)
                .hasMessageContaining("no user billing");
    }

    @Test
    void aTokenThatWouldHaveEndedByNowMakesRoomForTheNext() {
        change(new AccessChange.Revoke("old", 1));
        change(new AccessChange.Revoke("new", Long.MAX_VALUE));
        shard.restart();

        assertThat(access().revoked()).containsOnlyKeys("new");
    }
}
