package io.spillway.broker.log;

import io.spillway.protocol.Crc;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
    private static final String CRC = "crc32c ";

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
        byte[] body = text.toString().getBytes(StandardCharsets.US_ASCII);
        String last = CRC + Integer.toHexString(Crc.crc32c(body)) + "\n";
        LogFiles.replace(file, ByteBuffer.wrap(body), ByteBuffer.wrap(last.getBytes(StandardCharsets.US_ASCII)));
    }

    /** Reads it; throws IOException with the reason when it is not there or damaged. */
    static Manifest read(Path file) throws IOException {
        String text = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        int end = text.lastIndexOf(CRC);
        if (end < 0) {
            throw new IOException("it has no checksum");
        }
        String crc = Integer.toHexString(Crc.crc32c(text.substring(0, end).getBytes(StandardCharsets.ISO_8859_1)));
        if (!text.substring(end).equals(CRC + crc + "\n")) {
            throw new IOException("its checksum does not match");
        }
        String[] lines = text.substring(0, end).split("\n", -1);
        if (!lines[0].equals(HEAD)) {
            throw new IOException("its format is \"" + lines[0] + "\", this broker knows \"" + HEAD + "\"");
        }
        try {
            return parse(lines);
        } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
            throw new IOException("it cannot be read: " + e.getMessage(), e);
        }
    }

    private static Manifest parse(String[] lines) throws IOException {
        boolean clean = false;
        int active = 0;
        long next = 0;
        List<Row> rows = new ArrayList<>();
        for (int i = 1; i < lines.length; i++) {
            String[] words = lines[i].split(" ", -1);
            switch (words[0]) {
                case "" -> {}
                case "clean" -> clean = Boolean.parseBoolean(words[1]);
                case "active" -> active = Integer.parseInt(words[1]);
                case "next-sequence" -> next = Long.parseLong(words[1]);
                case "segment" ->
                    rows.add(new Row(
                            Integer.parseInt(words[1]),
                            Long.parseLong(words[2]),
                            Long.parseLong(words[3]),
                            Long.parseLong(words[4])));
                default -> throw new IOException("it has an unknown line: " + lines[i]);
            }
        }
        return new Manifest(clean, active, next, List.copyOf(rows));
    }
}
