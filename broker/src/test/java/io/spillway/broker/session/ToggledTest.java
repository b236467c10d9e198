package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.broker.toggles.KnownToggles;
import io.spillway.broker.toggles.Toggle;
import io.spillway.broker.toggles.ToggleScope;
import io.spillway.broker.toggles.ToggleSetting;
import io.spillway.broker.toggles.ToggleUnit;
import io.spillway.broker.toggles.Toggles;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the broker's own toggles are to one client. */
class ToggledTest {
    private static final int ALL_BP = 10_000;
    private static final ToggleUnit GO = new ToggleUnit(new byte[] {1}, "billing", "go", "a", "");
    private static final ToggleUnit RUST = new ToggleUnit(new byte[] {2}, "billing", "rust", "a", "");

    private static Toggles set(String name, String value, ToggleScope scope) {
        ToggleSetting setting = new ToggleSetting(value, ALL_BP, scope, 0);
        Toggle toggle =
                new Toggle(KnownToggles.get(name, null), setting, null, 1, 0, 0, new Toggle.Why("test", "because", ""));
        return new Toggles(1, List.of(toggle));
    }

    @Test
    void withoutToggleAllIsAsEver() {
        assertThat(Toggled.of(Toggles.NONE, GO)).isEqualTo(Toggled.NOTHING);
    }

    @Test
    void zonesCountForNothingWhereTheirBiasIsOff() {
        Toggles toggles = set(KnownToggles.DISPATCH_ZONE_BIAS, "off", ToggleScope.ALL);
        assertThat(Toggled.of(toggles, GO).zoneBias()).isFalse();
        assertThat(Toggled.of(toggles, GO).allowsDegraded()).isTrue();
    }

    @Test
    void whatIsSetForOneLanguageIsForItsClientsAlone() {
        Toggles toggles = set(KnownToggles.ACK_DEGRADED_ALLOWED, "off", ToggleScope.parse("lang:rust"));
        assertThat(Toggled.of(toggles, RUST).allowsDegraded()).isFalse();
        assertThat(Toggled.of(toggles, GO).allowsDegraded()).isTrue();
    }
}
