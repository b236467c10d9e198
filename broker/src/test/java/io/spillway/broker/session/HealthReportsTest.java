package io.spillway.broker.session;

import static org.assertj.core.api.Assertions.assertThat;

import io.spillway.protocol.v1.HealthReport;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class HealthReportsTest {
    private static int utilPm(HealthReport.Builder report) {
        return Objects.requireNonNull(new HealthReports().read(report.setSeq(1).build(), 1_000, 0))
                .utilPm();
    }

    @Test
    void whatAMemberDoesIsTheShareOfItsHandlersThatAreBusy() {
        assertThat(utilPm(HealthReport.newBuilder().setInflight(1).setMaxInflight(4)))
                .isEqualTo(250);
        assertThat(utilPm(HealthReport.newBuilder().setInflight(9).setMaxInflight(4)))
                .isEqualTo(1_000);
        assertThat(utilPm(HealthReport.newBuilder().setInflight(-1).setMaxInflight(4)))
                .isEqualTo(1_000);
        assertThat(utilPm(HealthReport.newBuilder().setCpuPm(700).setInflight(1).setMaxInflight(4)))
                .isEqualTo(700);
    }

    @Test
    void memoryThatIsFullWhateverComesSaysNothingOfIt() {
        assertThat(utilPm(HealthReport.newBuilder().setAppUtilPm(600).setMemPm(600)))
                .isZero();
    }
}
