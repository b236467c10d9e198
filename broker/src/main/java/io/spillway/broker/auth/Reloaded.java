package io.spillway.broker.auth;

import io.spillway.broker.base.Published;
import io.spillway.broker.base.SpillwayException;
import io.spillway.protocol.Code;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Something made from files, and made anew when their contents change. Files that cannot be used leave it as it was. {@link #check}
 * belongs to one thread; the rest is thread-safe.
 */
public final class Reloaded<T> implements Supplier<T> {
    private static final Logger LOG = LoggerFactory.getLogger(Reloaded.class);
    private static final long MAX_FILE_BYTES = 1 << 20;

    /** Makes it. An IllegalArgumentException says what is wrong with the contents. */
    public interface Reader<T> {
        T read() throws IOException, GeneralSecurityException;
    }

    private final String what;
    private final List<Path> files;
    private final Reader<T> reader;
    private final Published<T> value;
    private final Published<Long> failures = new Published<>(0L);
    private final Published<String> problem = new Published<>("");
    private byte[] fingerprint;

    /**
     * Reads the files for the first time.
     *
     * @param what they are, for the log
     * @param files and directories; of these what is in them
     * @throws SpillwayException INVALID_ARGUMENT when they cannot be used
     */
    public Reloaded(String what, List<Path> files, Reader<T> reader) {
        this.what = what;
        this.files = files;
        this.reader = reader;
        try {
            fingerprint = fingerprint();
            value = new Published<>(reader.read());
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            throw new SpillwayException(
                    Code.INVALID_ARGUMENT,
                    "the files of " + what + " cannot be used: " + files,
                    reason(e),
                    "correct the files or the settings that name them; see docs/operations/security.md",
                    0,
                    e);
        }
    }

    /** Something that no files change. */
    public static <T> Reloaded<T> fixed(T value) {
        return new Reloaded<>("nothing", List.of(), () -> value);
    }

    private byte[] fingerprint() throws IOException, GeneralSecurityException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (Path file : files) {
            if (Files.isDirectory(file)) {
                try (Stream<Path> listed = Files.list(file)) {
                    for (Path each : listed.sorted().toList()) {
                        digest.update(each.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
                        add(digest, each);
                    }
                }
            } else {
                add(digest, file);
            }
        }
        return digest.digest();
    }

    private static void add(MessageDigest digest, Path file) throws IOException {
        if (Files.isRegularFile(file) && Files.size(file) > MAX_FILE_BYTES) {
            throw new IOException(file + " has more than " + MAX_FILE_BYTES + " bytes");
        }
        if (!Files.isDirectory(file)) {
            digest.update(Files.readAllBytes(file));
        }
    }

    @Override
    public T get() {
        return value.get();
    }

    /** Looks whether the files have changed. */
    public void check() {
        try {
            byte[] now = fingerprint();
            if (Arrays.equals(now, fingerprint)) {
                return;
            }
            fingerprint = now;
            value.set(reader.read());
            problem.set("");
            LOG.info("event=files_reloaded what={} files={}", what, files);
        } catch (IOException | GeneralSecurityException | IllegalArgumentException e) {
            onBad(reason(e));
        }
    }

    private void onBad(String why) {
        if (why.equals(problem.get())) {
            return;
        }
        problem.set(why);
        failures.set(failures.get() + 1);
        LOG.error(
                "event=files_not_reloaded what={} files={} why=\"{}\" next=\"correct them; what was read before is used until then\"",
                what,
                files,
                why);
    }

    private static String reason(Exception e) {
        return e.getClass().getSimpleName() + ": " + e.getMessage();
    }

    /** How often new files could not be used. */
    public long failures() {
        return failures.get();
    }

    /** What is wrong with the files as they are; empty = nothing. */
    public String problem() {
        return problem.get();
    }
}
