package io.spillway.broker.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class CheckTest {
    private static Diagnosis of(Cause cause, long sinceMs) {
        return new Diagnosis(Subject.topic("orders"), cause, "because", sinceMs, "do this");
    }

    private static Check of(Area area, Diagnosis... all) {
        return Check.of(List.of(all), 10_000).stream()
                .filter(check -> check.area() == area)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void eachAreaIsGradedByTheWorstThatIsInIt() {
        Check check = of(Area.STORAGE, of(Cause.QUARANTINE, 0), of(Cause.READ_ONLY, 0), of(Cause.NO_LEADER, 0));

        assertThat(check.severity()).isEqualTo(Severity.CRITICAL);
        assertThat(check.found()).extracting(Diagnosis::cause).containsExactly(Cause.READ_ONLY, Cause.QUARANTINE);
        assertThat(of(Area.TOPICS).severity()).isEqualTo(Severity.OK);
        assertThat(Check.of(List.of(), 0)).hasSize(Area.values().length - 1);
    }

    @Test
    void whatKeepsAGroupForAMomentIsNotGraded() {
        assertThat(of(Area.DELIVERY, of(Cause.KEY_BLOCKED, 9_000)).severity()).isEqualTo(Severity.OK);
        assertThat(of(Area.DELIVERY, of(Cause.KEY_BLOCKED, 5_000)).severity()).isEqualTo(Severity.WARNING);
    }

    @Test
    void notToKnowIsWorseThanWellAndBetterThanAWarning() {
        assertThat(Check.worst(List.of(of(Cause.WELL, 0), of(Cause.NOT_LEADER, 0))))
                .isEqualTo(Severity.UNKNOWN);
        assertThat(Check.worst(List.of(of(Cause.QUOTA, 0), of(Cause.NOT_LEADER, 0))))
                .isEqualTo(Severity.WARNING);
        assertThat(Check.worst(List.of(of(Cause.QUOTA, 0), of(Cause.NO_QUORUM, 0))))
                .isEqualTo(Severity.CRITICAL);
    }
}
