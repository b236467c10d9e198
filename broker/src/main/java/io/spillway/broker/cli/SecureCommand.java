package io.spillway.broker.cli;

import io.spillway.broker.auth.Credential;
import io.spillway.broker.auth.Principals;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code spillway secure}: a broker that lets in only whom it knows, in a minute. */
@Command(
        name = "secure",
        description = "Makes what a secure broker needs: an authority, certificates, the first operator.")
final class SecureCommand {
    private static final String ADMIN = "admin";
    private static final String SERVER = "server";
    private static final int PASSWORD_BYTES = 18;

    private final Console console;

    SecureCommand(Console console) {
        this.console = console;
    }

    @Command(
            name = "init",
            description = {
                "Makes an authority, a certificate for brokers and one for the operator admin, a password for the same, and a "
                        + "configuration that uses them. Then prints how to go on.",
                "Everything secret is readable by its owner only."
            })
    int init(
            @Option(
                            names = "--directory",
                            required = true,
                            paramLabel = "DIR",
                            description = "Where it is put; made when it is missing, and must be empty.")
                    Path directory,
            @Option(
                            names = "--host",
                            split = ",",
                            paramLabel = "NAME",
                            description =
                                    "Names and addresses under which brokers are reached, beside localhost, 127.0.0.1 and this "
                                            + "machine's name.")
                    List<String> hosts)
            throws IOException {
        Path root = directory.toAbsolutePath().normalize();
        OwnerFiles.directory(root);
        try (var files = Files.list(root)) {
            if (files.findAny().isPresent()) {
                throw new UsageException(
                        "nothing is made in " + root, "it is not empty", "give another --directory, or empty it");
            }
        }
        CertificateAuthority authority = new CertificateAuthority(root);
        authority.create("Spillway authority");
        authority.issue(SERVER, names(hosts == null ? List.of() : hosts));
        authority.issue(ADMIN, List.of());
        SecureRandom random = new SecureRandom();
        byte[] secret = new byte[PASSWORD_BYTES];
        random.nextBytes(secret);
        String password = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
        byte[] salt = new byte[Credential.SALT_BYTES];
        random.nextBytes(salt);
        OwnerFiles.write(root.resolve("admin.password"), password + "\n");
        OwnerFiles.write(
                root.resolve("credentials"),
                Credential.of(ADMIN, password, salt).line() + "\n");
        Files.writeString(root.resolve("spillway.yaml"), configuration(root));
        console.line(next(root));
        return ExitCode.OK;
    }

    private static List<String> names(List<String> given) {
        Set<String> names = new LinkedHashSet<>(List.of("localhost", "127.0.0.1"));
        names.addAll(given);
        try {
            String own = InetAddress.getLocalHost().getHostName();
            if (own.matches("[A-Za-z][A-Za-z0-9.-]*")) {
                names.add(own);
            }
        } catch (UnknownHostException e) {
            return new ArrayList<>(names); // a machine without a name of its own
        }
        return new ArrayList<>(names);
    }

    @Command(
            name = "certificate",
            description = "Makes a certificate and its key, signed by the authority of a directory that init has made.")
    int certificate(
            @Parameters(paramLabel = "NAME", description = "The principal, or for a server what its files are called.")
                    String name,
            @Option(names = "--directory", required = true, paramLabel = "DIR", description = "Of the authority.")
                    Path directory,
            @Option(
                            names = "--host",
                            split = ",",
                            paramLabel = "NAME",
                            description = "Names and addresses of a server. Default: it is a client's.")
                    List<String> hosts)
            throws IOException {
        Path root = directory.toAbsolutePath().normalize();
        CertificateAuthority authority = new CertificateAuthority(root);
        if (!authority.exists() || !Principals.isValid(name) || name.matches(".*[/ ].*")) {
            throw new UsageException(
                    "no certificate is made for " + name,
                    authority.exists() ? "it is no name that one can have" : root + " has no authority",
                    "make one: spillway secure init --directory " + root);
        }
        authority.issue(name, hosts == null ? List.of() : hosts);
        console.line(root.resolve(name + ".pem") + " and " + root.resolve(name + ".key"));
        return ExitCode.OK;
    }

    private static String configuration(Path root) {
        return """
                # Lets in only whom the broker knows. See docs/operations/security.md.
                tls:
                  certificate: %1$s/server.pem
                  key: %1$s/server.key
                  client-authority: %1$s/authority.pem
                  client-auth: request
                auth:
                  required: true
                  acl: true
                  super-users: admin
                  credentials-file: %1$s/credentials
                """.formatted(root);
    }

    private static String next(Path root) {
        return """
                %1$s has
                  authority.pem  authority.p12   the authority; keep the second one where no broker can read it
                  server.pem     server.key      for brokers
                  admin.pem      admin.key       for the operator admin, who may do everything
                  admin.password                 the same operator's password
                  credentials                    what a broker needs to verify it
                  spillway.yaml                  settings that use all that

                start a broker:
                  spillway serve --config %1$s/spillway.yaml
                ask it as admin:
                  export SPILLWAY_CLIENT_TLS_AUTHORITY=%1$s/authority.pem
                  export SPILLWAY_CLIENT_TLS_CERTIFICATE=%1$s/admin.pem SPILLWAY_CLIENT_TLS_KEY=%1$s/admin.key
                  spillway topic create orders
                let others in:
                  spillway user add billing
                  spillway acl add billing allow read,write topic:orders
                  spillway acl add billing allow read 'group:billing*'
                and they come by:
                  spillway consume orders --group billing --tls-authority %1$s/authority.pem --user billing --password-file FILE""".formatted(root);
    }
}
