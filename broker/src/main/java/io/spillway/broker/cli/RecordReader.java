package io.spillway.broker.cli;

import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import io.spillway.protocol.Limits;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a stream of bytes into records, holding one of them at a time: each line without its newline, or each paragraph
 * (stanza) without the blank lines around it. Not thread-safe.
 */
final class RecordReader {
    private static final int CHUNK_BYTES = 64 << 10;

    /** What one record is. */
    enum Mode {
        /** A line; an empty line is an empty record. */
        LINE,
        /** Lines up to a blank one. */
        PARAGRAPH
    }

    private final InputStream in;
    private final Mode mode;
    private final byte[] chunk = new byte[CHUNK_BYTES];
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private final ByteArrayOutputStream paragraph = new ByteArrayOutputStream();
    private int position;
    private int limit;
    private long records;

    RecordReader(InputStream in, Mode mode) {
        this.in = in;
        this.mode = mode;
    }

    /** The next record, or null at the end. Throws TOO_LARGE for one that no broker takes. */
    byte @Nullable [] next() throws IOException {
        byte[] record = mode == Mode.LINE ? nextLine() : nextParagraph();
        if (record != null) {
            records++;
        }
        return record;
    }

    private byte @Nullable [] nextParagraph() throws IOException {
        paragraph.reset();
        byte[] next = nextLine();
        while (next != null && (!isBlank(next) || paragraph.size() == 0)) {
            if (!isBlank(next)) {
                if (paragraph.size() > 0) {
                    paragraph.write('\n');
                }
                paragraph.write(next);
                checkSize(paragraph.size());
            }
            next = nextLine();
        }
        return paragraph.size() == 0 ? null : paragraph.toByteArray();
    }

    private byte @Nullable [] nextLine() throws IOException {
        line.reset();
        while (position < limit || fill()) {
            int end = position;
            while (end < limit && chunk[end] != '\n') {
                end++;
            }
            line.write(chunk, position, end - position);
            checkSize(line.size());
            boolean ended = end < limit;
            position = ended ? end + 1 : end;
            if (ended) {
                return line.toByteArray();
            }
        }
        return line.size() == 0 ? null : line.toByteArray();
    }

    private boolean fill() throws IOException {
        position = 0;
        limit = Math.max(0, in.read(chunk));
        return limit > 0;
    }

    private void checkSize(int bytes) {
        if (bytes > Limits.MAX_RECORD_BYTES) {
            throw new SpillwayException(
                    Code.TOO_LARGE,
                    "record " + (records + 1) + " of the input is too large",
                    "it has more than " + Limits.MAX_RECORD_BYTES + " bytes",
                    "split it, or publish a reference to it");
        }
    }

    private static boolean isBlank(byte[] text) {
        for (byte b : text) {
            if (b != ' ' && b != '\t' && b != '\r') {
                return false;
            }
        }
        return true;
    }
}
