package io.spillway.client.net;

import io.netty.handler.ssl.NotSslRecordException;
import io.spillway.protocol.Code;
import io.spillway.protocol.v1.Error;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.util.Locale;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Says in our words what the JDK says of TLS that fails. */
final class TlsFailure {
    private static final String AUTHORITY =
            "trust the authority that signed it: the authority of the client's TLS settings, --tls-authority of the CLI";
    private static final String OWN =
            "give a certificate that the broker's tls.client-authority signed and that is valid now, with its key";

    private TlsFailure() {}

    /** Null when it is no failure of TLS. */
    static @Nullable Error of(Endpoint endpoint, Throwable failure) {
        SSLException tls = find(failure, SSLException.class);
        if (tls == null) {
            return null;
        }
        if (find(failure, NotSslRecordException.class) != null) {
            return error(
                    endpoint, "it does not speak TLS", "connect without TLS, or set tls.certificate at the broker");
        }
        if (find(failure, CertificateExpiredException.class) != null) {
            return error(
                    endpoint, "its certificate has expired", "renew the certificate of the broker: tls.certificate");
        }
        if (find(failure, CertificateNotYetValidException.class) != null) {
            return error(endpoint, "its certificate is not valid yet", "look at the clocks of both machines");
        }
        String text = String.valueOf(tls.getMessage()).toLowerCase(Locale.ROOT);
        if (text.contains("received fatal alert")) {
            return error(endpoint, "it refuses the client's certificate, or its lack: " + tls.getMessage(), OWN);
        }
        CertificateException certificate = find(failure, CertificateException.class);
        String why = certificate == null ? "" : String.valueOf(certificate.getMessage());
        if (why.contains("No subject alternative") || why.contains("No name matching")) {
            return error(
                    endpoint,
                    "its certificate is for another name: " + why,
                    "connect to a name that it has, or say which one is meant: the server name of the client's TLS settings");
        }
        if (find(failure, CertPathValidatorException.class) != null
                || text.contains("unable to find valid certification")) {
            return error(
                    endpoint, "its certificate was signed by an authority that this client does not trust", AUTHORITY);
        }
        return error(endpoint, "TLS failed: " + tls.getMessage(), "compare the TLS settings of both sides");
    }

    private static Error error(Endpoint endpoint, String why, String next) {
        return Errors.of(Code.CONNECT_FAILED, "cannot connect to " + endpoint, why, next);
    }

    private static <T extends Throwable> @Nullable T find(@Nullable Throwable failure, Class<T> type) {
        Throwable each = failure;
        for (int depth = 0; each != null && depth < 16; depth++) {
            if (type.isInstance(each)) {
                return type.cast(each);
            }
            each = each.getCause();
        }
        return null;
    }
}
