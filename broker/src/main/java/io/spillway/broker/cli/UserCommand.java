package io.spillway.broker.cli;

import io.spillway.broker.auth.Credential;
import io.spillway.broker.auth.Principals;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway user}: who may log in with a password. */
@Command(
        name = "user",
        description = {
            "Adds and deletes users who log in with a password.",
            "The password is read from standard input, or from a file, and never leaves this command: the broker gets a salted "
                    + "proof of it.",
            "Talks to the http address of the broker; in a cluster the leader does what is asked."
        })
final class UserCommand {
    private static final Duration READ_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration CHANGE_TIMEOUT = Duration.ofSeconds(30);
    private static final int MIN_PASSWORD = 8;

    private final Console console;

    UserCommand(Console console) {
        this.console = console;
    }

    @Command(name = "add", description = "Adds a user, or gives one that is there another password.")
    int add(
            @Mixin HttpOptions http,
            @Parameters(paramLabel = "NAME", description = "Of the user; rules speak of it as a principal.")
                    String name,
            @Option(
                            names = "--new-password-file",
                            paramLabel = "FILE",
                            description = "File with the password. Default: a line of standard input.")
                    @Nullable
                    String file)
            throws IOException {
        if (!Principals.isValid(name)) {
            throw new UsageException(
                    "the user cannot be called " + name, "it is no name that one can have", "see the manual");
        }
        String password = file == null ? line() : SecurityOptions.secret(file);
        if (password.length() < MIN_PASSWORD) {
            throw new UsageException(
                    "the password is too short",
                    "it has " + password.length() + " characters",
                    "give " + MIN_PASSWORD + " or more");
        }
        byte[] salt = new byte[Credential.SALT_BYTES];
        new SecureRandom().nextBytes(salt);
        String credential = Credential.of(name, password, salt).line();
        return done(http, post(http, "add", Map.of("credential", credential)), "user " + name + " may log in");
    }

    private String line() throws IOException {
        if (console.interactive()) {
            console.err().print("password: ");
            console.err().flush();
        }
        String line = new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8)).readLine();
        return line == null ? "" : line;
    }

    @Command(
            name = "list",
            description = "Shows the users there are, but for those of a broker's auth.credentials-file.")
    int list(@Mixin HttpOptions http) throws IOException {
        Map<String, @Nullable Object> answer = http.client().get("/users", http.timeout(READ_TIMEOUT));
        Table table = new Table("NAME");
        for (Map<String, @Nullable Object> user : LinkReport.objects(answer, "users")) {
            table.row(AdminClient.text(user, "name"));
        }
        console.line(http.json() ? LinkReport.json(answer) : table.toString());
        return ExitCode.OK;
    }

    @Command(name = "delete", description = "Deletes a user. Connections that logged in as that user are closed.")
    int delete(@Mixin HttpOptions http, @Parameters(paramLabel = "NAME", description = "Of the user.") String name)
            throws IOException {
        return done(http, post(http, "delete", Map.of("name", name)), "user " + name + " is deleted");
    }

    private int done(HttpOptions http, Map<String, @Nullable Object> answer, String text) throws IOException {
        console.line(http.json() ? LinkReport.json(answer) : text);
        return ExitCode.OK;
    }

    private static Map<String, @Nullable Object> post(HttpOptions http, String change, Map<String, String> query)
            throws IOException {
        return http.client().postToLeader("/users/" + change, query, http.timeout(CHANGE_TIMEOUT));
    }
}
