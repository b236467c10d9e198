package io.spillway.broker.auth;

import io.spillway.protocol.Scram;
import java.security.cert.CertificateEncodingException;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which principal a certificate names. */
public enum CertifiedNames {
    /** The common name of its subject. */
    CN,
    /** The first URI among its alternative names, as SPIFFE has it. */
    SAN_URI;

    private static final Logger LOG = LoggerFactory.getLogger(CertifiedNames.class);
    private static final int URI = 6;
    private static final Peer NO_CERTIFICATE = new Peer("", "", true);

    /** What an encrypted connection tells, once its handshake is done. */
    public Peer peer(SSLSession session) {
        try {
            return session.getPeerCertificates()[0] instanceof X509Certificate certificate
                    ? peer(certificate)
                    : NO_CERTIFICATE;
        } catch (SSLPeerUnverifiedException e) {
            return NO_CERTIFICATE;
        }
    }

    /** Who shows this certificate, which was verified. */
    private Peer peer(X509Certificate certificate) {
        String name = this == CN ? commonName(certificate) : uri(certificate);
        if (!Principals.isValid(name)) {
            LOG.info("event=certificate_without_principal subject=\"{}\"", certificate.getSubjectX500Principal());
            name = "";
        }
        try {
            byte[] thumbprint = Scram.sha256(certificate.getEncoded());
            return new Peer(name, Base64.getUrlEncoder().withoutPadding().encodeToString(thumbprint), true);
        } catch (CertificateEncodingException e) {
            throw new IllegalStateException("a certificate that came over the wire has a form", e);
        }
    }

    private static String commonName(X509Certificate certificate) {
        try {
            LdapName subject =
                    new LdapName(certificate.getSubjectX500Principal().getName());
            for (Rdn part : subject.getRdns()) {
                if (part.getType().equalsIgnoreCase("CN")) {
                    return part.getValue().toString();
                }
            }
            return "";
        } catch (InvalidNameException e) {
            return ""; // no name that we could read
        }
    }

    private static String uri(X509Certificate certificate) {
        try {
            Collection<List<?>> names = certificate.getSubjectAlternativeNames();
            return names == null
                    ? ""
                    : names.stream()
                            .filter(name -> Integer.valueOf(URI).equals(name.get(0)))
                            .map(name -> String.valueOf(name.get(1)))
                            .findFirst()
                            .orElse("");
        } catch (CertificateParsingException e) {
            return ""; // no name that we could read
        }
    }
}
