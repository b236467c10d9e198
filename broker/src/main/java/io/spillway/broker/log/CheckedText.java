package io.spillway.broker.log;

import io.spillway.protocol.Crc;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Small text files that a person can read and whose last line is the CRC32C of the lines before it. */
final class CheckedText {
    private static final String CRC = "crc32c ";

    private CheckedText() {}

    /** Replaces a file; the lines end with a line feed each. */
    static void write(Path file, CharSequence lines) throws IOException {
        byte[] body = lines.toString().getBytes(StandardCharsets.UTF_8);
        LogFiles.replace(
                file, ByteBuffer.wrap(body), ByteBuffer.wrap(lastLine(body).getBytes(StandardCharsets.US_ASCII)));
    }

    private static String lastLine(byte[] body) {
        return CRC + Integer.toHexString(Crc.crc32c(body)) + "\n";
    }

    /** The lines of a file after its first, which must be {@code head}; throws with the reason when it is damaged. */
    static String[] read(Path file, String head) throws IOException {
        if (!Files.exists(file)) {
            throw new IOException("it is not there");
        }
        String text = new String(Files.readAllBytes(file), StandardCharsets.UTF_8);
        int end = text.lastIndexOf(CRC);
        if (end < 0) {
            throw new IOException("it has no checksum");
        }
        String body = text.substring(0, end);
        if (!text.substring(end).equals(lastLine(body.getBytes(StandardCharsets.UTF_8)))) {
            throw new IOException("its checksum does not match");
        }
        if (!body.startsWith(head + "\n")) {
            throw new IOException("it does not begin with \"" + head + "\", the format this broker knows");
        }
        String lines = body.substring(head.length() + 1);
        return lines.isEmpty() ? new String[0] : lines.split("\n");
    }
}
