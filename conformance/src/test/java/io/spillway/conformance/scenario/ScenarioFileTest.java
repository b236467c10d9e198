package io.spillway.conformance.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ScenarioFileTest {
    private static final Path FILE = Path.of("lease.yaml");

    private static Scenario parse(String text) {
        return ScenarioFile.parse(FILE, text);
    }

    private static void assertWrong(String text, String why) {
        assertThatThrownBy(() -> parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("lease.yaml")
                .hasMessageContaining(why);
    }

    @Test
    void readsAScenario() {
        Scenario scenario = parse("""
                what: Leases end.
                actors: [writer, reader]
                proxies: [proxy]
                broker: {drain-timeout-ms: 2s}
                clients: {writer: none, reader: {endpoints: [$proxy]}}
                topic: {partitions: 3}
                limit_s: 7
                steps:
                  - {writer: client.open, begin: opening}
                  - {proxy: cut}
                  - {await: opening}
                  - {reader: subscription.poll, max: 2, expect: {messages: []}, save: {m: messages.0}, eventually_ms: 50}
                """);

        assertThat(scenario.name()).isEqualTo("lease");
        assertThat(scenario.actors()).containsExactly("writer", "reader");
        assertThat(scenario.ownBroker()).isTrue();
        assertThat(scenario.settings()).containsEntry("drain-timeout-ms", "2s");
        assertThat(scenario.clients().keySet()).isEqualTo(Set.of("reader"));
        assertThat(scenario.limit()).isEqualTo(Duration.ofSeconds(7));
        Step poll = scenario.steps().get(3);
        assertThat(poll).hasToString("reader: subscription.poll");
        assertThat(poll.arguments()).hasToString("{\"max\":2}");
        assertThat(poll.save()).containsEntry("m", "messages.0");
        assertThat(poll.eventuallyMs()).isEqualTo(50);
    }

    @Test
    void passesOverNothingItDoesNotUnderstand() {
        assertWrong("what: x\nactors: [a]\nsteps: []\ncolour: red", "unknown key colour");
        assertWrong("what: x\nactors: [a, b, c]\nsteps: []", "one actor or two");
        assertWrong("what: x\nactors: [a]", "no steps");
        assertWrong("what: x\nactors: [a]\nclients: {b: none}\nsteps: []", "who is no actor");
        assertWrong("what: x\nactors: [a]\nclients: {a: nobody}\nsteps: []", "none or its settings");
        assertWrong("what: x\nactors: [a]\nproxies: [a]\nsteps: []", "different names");
        assertWrong("what: x\nactors: [a]\nsteps: [{b: topic.list}]", "a step has one of");
        assertWrong("what: x\nactors: [a]\nsteps: [{broker: kill}]", "broker of its own");
        assertWrong("what: x\nactors: [a]\nbroker: own\nsteps: [{broker: shoot}]", "unknown operation");
        assertWrong("what: x\nactors: [a]\nbroker: mine\nsteps: []", "either own or settings");
        assertWrong("what: x\nactors: [a]\nsteps: [{await: it}]", "not begun");
        assertWrong("what: x\nactors: [a]\nsteps: [{a: topic.list, begin: it}]", "nobody awaits");
        assertWrong("what: x\nwhat: y\nactors: [a]\nsteps: []", "duplicate");
    }
}
