package io.spillway.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ExtentTablesTest {
    private static final int RECORDS = 3;

    private final ExtentTables tables = new ExtentTables(extent -> new long[0]);
    private final Extent whole = new Extent(new Segment(1, 0, Path.of("segment")), 0, true, 0);

    private void add(int batches) {
        for (int i = 0; i < batches; i++) {
            BatchRow row = new BatchRow();
            row.baseOffset = whole.endOffset();
            row.records = RECORDS;
            row.batchBytes = 100;
            whole.add(row);
        }
    }

    /** A table in memory grows by doubling, so that it mostly has room for more rows than it has. */
    @Test
    void aPartHasTheRowsOfItsExtentAndNoOthers() {
        for (int batches = 1; batches < 40; batches++) {
            add(1);

            Extent last = tables.part(whole, whole.endOffset() - RECORDS, whole.endOffset() + RECORDS);

            assertThat(last.rows()).isEqualTo(batches);
            assertThat(last.find(whole.endOffset() - 1))
                    .as("the row of the last record")
                    .isEqualTo(batches - 1);
            assertThat(last.liveBytes()).isEqualTo(100);
        }
    }

    @Test
    void aPartKeepsItsRowsWhenItsExtentGrows() {
        add(9);
        Extent part = tables.part(whole, RECORDS, whole.endOffset());

        add(1);

        assertThat(part.rows()).isEqualTo(9);
        assertThat(part.to()).isEqualTo(9 * RECORDS);
    }
}
