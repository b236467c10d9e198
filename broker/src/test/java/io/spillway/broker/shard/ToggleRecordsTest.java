package io.spillway.broker.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.spillway.broker.base.SpillwayException;
import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleScope;
import io.spillway.broker.toggles.ToggleSetting;
import java.nio.file.Path;
import java.util.Objects;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Toggles are what the log and its snapshots say, and change only at the revision that was read. */
class ToggleRecordsTest {
    private static final Toggle.Why WHY = new Toggle.Why("test", "because", "T-1");
    private static final String NAME = KnownToggles.DISPATCH_WEIGHTED;

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

    private static ToggleSetting to(String value, int rolloutBp) {
        return new ToggleSetting(value, rolloutBp, ToggleScope.ALL, 0);
    }

    private ToggleChange.Done ask(ToggleChange change) {
        return shard.ask((Reply<ToggleChange.Done> reply) -> new ShardCommand.ChangeToggle(change, reply));
    }

    private ToggleChange.Done set(@Nullable ToggleSetting setting, long expectRevision) {
        return ask(ToggleChange.set(NAME, null, setting, expectRevision, WHY));
    }

    private @Nullable Toggle now() {
        return shard.state().operators.toggles.find(NAME);
    }

    private Toggle toggle() {
        return Objects.requireNonNull(now());
    }

    private static String refusal(ThrowingCallable what) {
        return String.valueOf(catchThrowableOfType(SpillwayException.class, what));
    }

    @Test
    void whatWasSetHoldsAfterARestartAndAfterAKill() {
        set(to("off", 2_500), ToggleChange.ANY);
        shard.restart();
        ask(ToggleChange.set("app.beta", null, new ToggleSetting("on", 100, ToggleScope.parse("lang:go"), 77), 0, WHY)
                .revertAfter(60_000));
        shard.kill();

        assertThat(toggle().setting()).isEqualTo(to("off", 2_500));
        assertThat(toggle().why()).isEqualTo(WHY);
        Toggle beta = Objects.requireNonNull(shard.state().operators.toggles.find("app.beta"));
        assertThat(beta.setting()).isEqualTo(new ToggleSetting("on", 100, ToggleScope.parse("lang:go"), 77));
        assertThat(beta.revertAtMs()).isGreaterThan(shard.clock.nowMs());
        assertThat(shard.state().operators.toggles.view().revision()).isEqualTo(2);
    }

    @Test
    void aChangeAtAnotherRevisionThanWasReadIsRefused() {
        long revision = set(to("off", 10_000), 0).revision();
        set(to("off", 5_000), revision);

        assertThat(refusal(() -> set(to("on", 10_000), revision)))
                .contains("REVISION_MISMATCH", "has revision 2, not 1");
        assertThat(refusal(() -> set(to("on", 10_000), 0))).contains("has revision 2, not 0");
        assertThat(toggle().setting()).isEqualTo(to("off", 5_000));
    }

    @Test
    void revertingGoesBackToWhatWasConfirmedLast() {
        set(to("off", 1_000), ToggleChange.ANY);
        ask(ToggleChange.set(NAME, null, to("off", 2_000), ToggleChange.ANY, WHY)
                .revertAfter(1_000));
        ask(ToggleChange.set(NAME, null, to("off", 3_000), ToggleChange.ANY, WHY)
                .revertAfter(1_000));

        ask(ToggleChange.revert(NAME, ToggleChange.ANY, WHY));

        assertThat(toggle().setting()).isEqualTo(to("off", 1_000));
        assertThat(toggle().revertAtMs()).isZero();
    }

    @Test
    void whatIsConfirmedIsNotDueAnyMore() {
        ask(ToggleChange.set(NAME, null, to("off", 10_000), 0, WHY).revertAfter(1_000));
        assertThat(toggle().isDue(shard.clock.nowMs() + 1_000)).isTrue();

        ask(ToggleChange.confirm(NAME, toggle().revision(), WHY));

        assertThat(toggle().isDue(Long.MAX_VALUE)).isFalse();
        assertThat(toggle().setting()).isEqualTo(to("off", 10_000));
    }

    @Test
    void whatWasNotSetBeforeIsNotSetAfterItIsReverted() {
        set(to("off", 10_000), 0);

        ToggleChange.Done done = ask(ToggleChange.revert(NAME, ToggleChange.ANY, WHY));
        shard.restart();

        assertThat(done.now()).isNull();
        assertThat(now()).isNull();
        assertThat(shard.state().operators.toggles.view().revision())
                .as("clients see that something has changed")
                .isEqualTo(2);
    }

    @Test
    void onlyWhatAToggleCanBeIsTaken() {
        assertThat(refusal(() -> set(to("perhaps", 10_000), 0))).contains("it can be on, off");
        assertThat(refusal(() -> set(new ToggleSetting("off", 10_000, ToggleScope.parse("lang:go"), 0), 0)))
                .contains("its scopes are topic");
        assertThat(refusal(() -> ask(ToggleChange.set("dispatch.wieghted", null, to("off", 1), 0, WHY))))
                .contains("did you mean dispatch.weighted?");
        assertThat(now()).isNull();
    }
}
