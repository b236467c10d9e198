package io.spillway.broker.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which closed segments a log has, and whether it was closed properly. A text file, so that a person can read it:
 *
 * <pre>
 * spillway-log 1
 * clean true
 * active 8
 * next-sequence 90210
 * segment 6 4711 50000 67104768
 * segment 7 50000 90210 1044480
 * crc32c 1a2b3c4d
 * </pre>
 *
 * @param clean the log was closed; nothing was appended since
 * @param active number of the segment being written; every greater number is newer than this manifest
 * @param nextSequence sequence of the next entry when clean, else of the first entry of the active segment
 * @param segments closed segments in order
 */
record Manifest(boolean clean, int active, long nextSequence, List<Row> segments) {
    private static final String HEAD = "spillway-log 1";

    /** A closed segment: entries [baseSequence, endSequence) in its first usedBytes. */
    record Row(int number, long baseSequence, long endSequence, long usedBytes) {}

    void write(Path file) throws IOException {
        StringBuilder text = new StringBuilder(64 + segments.size() * 48);
        text.append(HEAD).append('\n');
        text.append("clean ").append(clean).append('\n');
        text.append("active ").append(active).append('\n');
        text.append("next-sequence ").append(nextSequence).append('\n');
        for (Row row : segments) {
            text.append("segment ").append(row.number).append(' ').append(row.baseSequence);
            text.append(' ').append(row.endSequence).append(' ').append(row.usedBytes);
            text.append('\n');
        }
        CheckedText.write(file, text);
    }

    /** Reads it; throws IOException with the reason when it is not there or damaged. */
    static Manifest read(Path file) throws IOException {
        try {
            return parse(CheckedText.read(file, HEAD));
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IOException("it cannot be read: " + e.getMessage(), e);
        }
    }

    private static Manifest parse(String[] lines) throws IOException {
        boolean clean = false;
        int active = 0;
        long next = 0;
        List<Row> rows = new ArrayList<>();
        for (String line : lines) {
            String[] words = line.split(" ", -1);
            switch (words[0]) {
                case "clean" -> clean = Boolean.parseBoolean(words[1]);
                case "active" -> active = Integer.parseInt(words[1]);
                case "next-sequence" -> next = Long.parseLong(words[1]);
                case "segment" ->
                    rows.add(new Row(
                            Integer.parseInt(words[1]),
                            Long.parseLong(words[2]),
                            Long.parseLong(words[3]),
                            Long.parseLong(words[4])));
                default -> throw new IOException("it has an unknown line: " + line);
            }
        }
        return new Manifest(clean, active, next, List.copyOf(rows));
    }
}
