package io.spillway.broker.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Limits;
import java.io.ByteArrayInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RecordReaderTest {
    @Test
    void cutsLinesAndKeepsEmptyOnesAndTheLastWithoutNewline() throws IOException {
        assertThat(read("a\n\nb b\r\nlast", RecordReader.Mode.LINE)).containsExactly("a", "", "b b\r", "last");
    }

    @Test
    void aNewlineAtTheEndAddsNoRecord() throws IOException {
        assertThat(read("a\nb\n", RecordReader.Mode.LINE)).containsExactly("a", "b");
        assertThat(read("", RecordReader.Mode.LINE)).isEmpty();
    }

    @Test
    void cutsParagraphsAtBlankLines() throws IOException {
        String text = "\n\nPackage: a\nVersion: 1\n\n \t\nPackage: b\nVersion: 2\n\n";

        assertThat(read(text, RecordReader.Mode.PARAGRAPH))
                .containsExactly("Package: a\nVersion: 1", "Package: b\nVersion: 2");
    }

    @Test
    void cutsTheSameWhenBytesComeOneByOne() throws IOException {
        String text = "one\n\ntwo\nthree";
        InputStream slow = new FilterInputStream(bytes(text)) {
            @Override
            public int read(byte[] target, int from, int length) throws IOException {
                return super.read(target, from, Math.min(1, length));
            }
        };

        assertThat(all(new RecordReader(slow, RecordReader.Mode.LINE))).containsExactly("one", "", "two", "three");
    }

    @Test
    void takesTheLargestRecordAndRefusesOneByteMore() throws IOException {
        String largest = "x".repeat(Limits.MAX_RECORD_BYTES);

        assertThat(read(largest + "\nnext", RecordReader.Mode.LINE)).containsExactly(largest, "next");
        assertThatThrownBy(() -> read("first\n" + largest + "x", RecordReader.Mode.LINE))
                .isInstanceOfSatisfying(
                        SpillwayException.class, e -> assertThat(e.code()).isEqualTo(Code.TOO_LARGE))
                .hasMessageContaining("record 2");
    }

    private static List<String> read(String text, RecordReader.Mode mode) throws IOException {
        return all(new RecordReader(bytes(text), mode));
    }

    private static InputStream bytes(String text) {
        return new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> all(RecordReader reader) throws IOException {
        List<String> records = new ArrayList<>();
        for (byte[] record = reader.next(); record != null; record = reader.next()) {
            records.add(new String(record, StandardCharsets.UTF_8));
        }
        return records;
    }
}
