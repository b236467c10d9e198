package io.spillway.broker.auth;

import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Makes what is needed to connect to somebody by TLS. */
public final class ClientContext {
    private static final char[] NO_PASSWORD = {};

    private ClientContext() {}

    /**
     * @param authority whose certificates are believed; null = those this machine's Java believes
     * @param certificate to show, with its key; both null = none
     */
    public static SSLContext of(@Nullable Path authority, @Nullable Path certificate, @Nullable Path key)
            throws IOException, GeneralSecurityException {
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(authority == null ? null : authorities(authority));
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(own(certificate, key), NO_PASSWORD);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore authorities(Path file) throws IOException, GeneralSecurityException {
        KeyStore store = empty();
        int number = 0;
        for (X509Certificate certificate : Tls.certificates(file)) {
            store.setCertificateEntry("authority-" + number++, certificate);
        }
        return store;
    }

    private static KeyStore own(@Nullable Path certificate, @Nullable Path key)
            throws IOException, GeneralSecurityException {
        KeyStore store = empty();
        if (certificate != null && key != null) {
            PrivateKey secret = Tls.privateKey(Pem.read(key, "PRIVATE KEY"));
            store.setKeyEntry("own", secret, NO_PASSWORD, Tls.certificates(certificate));
        }
        return store;
    }

    private static KeyStore empty() throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, NO_PASSWORD);
        return store;
    }
}
