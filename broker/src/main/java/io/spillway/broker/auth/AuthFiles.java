package io.spillway.broker.auth;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What of an authenticator is in files. Immutable.
 *
 * @param credentials by user; they count beside those that are records
 * @param keys of tokens, by id
 */
public record AuthFiles(Map<String, Credential> credentials, Map<String, TokenKey> keys) {
    public static final AuthFiles NONE = new AuthFiles(Map.of(), Map.of());

    /**
     * Reads them.
     *
     * @param credentials a file with a line for each; null = there are none
     * @param keys a directory; null = there are none
     */
    public static AuthFiles read(@Nullable Path credentials, @Nullable Path keys) throws IOException {
        Map<String, Credential> users = new HashMap<>();
        if (credentials != null) {
            int number = 0;
            for (String line : Files.readAllLines(credentials)) {
                number++;
                if (line.isBlank() || line.startsWith("#")) {
                    continue;
                }
                try {
                    Credential credential = Credential.parse(line.strip());
                    users.put(credential.user(), credential);
                } catch (IllegalArgumentException e) {
                    throw new IOException("line " + number + " of " + credentials + ": " + e.getMessage(), e);
                }
            }
        }
        return new AuthFiles(users, keys == null ? Map.of() : TokenKey.readAll(keys));
    }
}
