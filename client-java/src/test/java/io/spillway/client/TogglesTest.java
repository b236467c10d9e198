package io.spillway.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.spillway.protocol.FrameKind;
import io.spillway.protocol.v1.Toggle;
import io.spillway.protocol.v1.ToggleUpdate;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the application sees of toggles. */
@Timeout(60)
final class TogglesTest {
    private final List<Toggles> heard = new CopyOnWriteArrayList<>();

    private static Toggle toggle(String name, int rolloutBp, String value, String fallback) {
        return Toggle.newBuilder()
                .setName(name)
                .setRolloutBp(rolloutBp)
                .setValue(value)
                .setFallback(fallback)
                .build();
    }

    private static ToggleUpdate update(long revision, Toggle... toggles) {
        return ToggleUpdate.newBuilder()
                .setRevision(revision)
                .setFull(true)
                .addAllToggles(List.of(toggles))
                .build();
    }

    @Test
    void aClientKeepsWhatTheBrokerToggledAndSaysWhenItChanges() {
        try (FakeBroker broker = new FakeBroker();
                SpillwayClient client = SpillwayClient.builder()
                        .endpoints(broker.endpoint())
                        .onToggles(heard::add)
                        .connect()) {
            assertThat(client.toggles().isEnabled("app.beta")).isFalse();
            assertThat(client.toggles().value("app.theme", "none")).isEqualTo("none");

            broker.announce(
                    FrameKind.TOGGLE_UPDATE,
                    update(1, toggle("app.beta", 10_000, "on", "off"), toggle("app.theme", 0, "dark", "light")));
            await().until(() -> client.toggles().isEnabled("app.beta"));
            assertThat(client.toggles().value("app.theme", "none")).isEqualTo("light");
            assertThat(client.toggles().revision()).isEqualTo(1);

            broker.announce(FrameKind.TOGGLE_UPDATE, update(2));
            await().until(() -> heard.size() == 2);
            assertThat(heard.get(1).isEnabled("app.beta")).isFalse();
        }
    }
}
