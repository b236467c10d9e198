package io.spillway.broker.link;

import io.spillway.broker.auth.ClientContext;
import io.spillway.broker.base.ListenAddress;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * How links come in at their sources. The files are read for each connection.
 *
 * @param authority that signs the sources' certificates; null = plain text
 * @param certificate to show, with its key; both null = none
 * @param user to log in as; empty = by the certificate, or not at all
 * @param password the file with the user's
 */
public record SourceAccess(
        @Nullable Path authority,
        @Nullable Path certificate,
        @Nullable Path key,
        String user,
        @Nullable Path password) {
    public static final SourceAccess OPEN = new SourceAccess(null, null, null, "", null);

    /** The same connection, encrypted if it is to be. */
    Socket encrypt(Socket plain, ListenAddress address) throws IOException {
        if (authority == null) {
            return plain;
        }
        try {
            SSLSocket encrypted = (SSLSocket) ClientContext.of(authority, certificate, key)
                    .getSocketFactory()
                    .createSocket(plain, address.host(), address.port(), true);
            SSLParameters parameters = encrypted.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            encrypted.setSSLParameters(parameters);
            encrypted.startHandshake();
            return encrypted;
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("the files of link.tls cannot be used: " + e.getMessage(), e);
        }
    }

    boolean logsIn() {
        return !user.isEmpty() && password != null;
    }

    String secret() throws IOException {
        return password == null ? "" : Files.readString(password).strip();
    }
}
