package io.spillway.broker.admin;

import io.spillway.broker.auth.CertifiedNames;
import io.spillway.broker.auth.Tls;
import io.spillway.broker.session.Security;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Through what the HTTP side is come to, and who may.
 *
 * @param tls null = plain text
 * @param names which principal a certificate names
 * @param security null = everybody may do everything
 */
public record HttpDoor(
        @Nullable Supplier<Tls> tls,
        CertifiedNames names,
        @Nullable Security security) {
    public static final HttpDoor OPEN = new HttpDoor(null, CertifiedNames.CN, null);
}
