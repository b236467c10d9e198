package io.spillway.broker.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonGenerator.Feature;
import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command reads and writes.
 *
 * @param out results, and nothing else; a failed write is thrown, unlike that of a {@link PrintStream}
 * @param err errors and progress
 * @param interactive whether a person sits in front of it: progress is shown and questions are asked
 */
record Console(InputStream in, OutputStream out, PrintStream err, boolean interactive) {
    private static final int OUT_BUFFER_BYTES = 64 << 10;
    private static final JsonFactory JSON = new JsonFactory();

    /** What one JSON document says. */
    interface JsonBody {
        void writeTo(JsonGenerator json) throws IOException;
    }

    /** The streams of this process. */
    static Console ofProcess() {
        OutputStream out = new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), OUT_BUFFER_BYTES);
        return new Console(new FileInputStream(FileDescriptor.in), out, System.err, System.console() != null);
    }

    /** Writes one line of text and flushes. */
    void line(String text) throws IOException {
        out.write(text.getBytes(StandardCharsets.UTF_8));
        out.write('\n');
        out.flush();
    }

    /** Writes one JSON document as one line and flushes. */
    void json(JsonBody body) throws IOException {
        jsonLine(body);
        out.flush();
    }

    /** Writes one JSON document as one line without a flush. */
    void jsonLine(JsonBody body) throws IOException {
        try (JsonGenerator json =
                JSON.createGenerator(out).disable(Feature.AUTO_CLOSE_TARGET).disable(Feature.FLUSH_PASSED_TO_STREAM)) {
            body.writeTo(json);
        }
        out.write('\n');
    }

    /** Replaces the line of progress; nothing when nobody watches. */
    void progress(String text) {
        if (interactive) {
            err.print("\r" + text + "\u001b[K");
            err.flush();
        }
    }

    /** Wipes the line of progress. */
    void endProgress() {
        progress("");
    }
}
