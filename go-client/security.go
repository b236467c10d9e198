package spillway

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/spillway-io/spillway/go-client/internal/codes"
	"github.com/spillway-io/spillway/go-client/internal/pb"
)

const (
	scramMechanism = "SCRAM-SHA-256"
	tokenMechanism = "TOKEN"
	gs2Header      = "n,,"
	noBinding      = "biws" // the base64 of it
	minIterations  = 4096
	maxIterations  = 1_000_000
)

// WithTLS encrypts the client's connections. A configuration without ServerName takes the host of the endpoint; TLS 1.2 is the least
// it speaks. See [TLSFiles]. Default: plain text.
func WithTLS(config *tls.Config) Option {
	return func(o *options) error {
		if config == nil {
			return invalid("the TLS configuration is nil", "TLS needs one; &tls.Config{} trusts whom this machine trusts")
		}
		o.tls = config.Clone()
		if o.tls.MinVersion < tls.VersionTLS12 {
			o.tls.MinVersion = tls.VersionTLS12
		}
		return nil
	}
}

// TLSFiles is a configuration made of PEM files: whose certificates are believed, and the own certificate with its key. An empty
// authority believes whom this machine believes; an empty certificate shows none.
func TLSFiles(authority, certificate, key string) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if authority != "" {
		pem, err := os.ReadFile(authority)
		if err != nil {
			return nil, invalid("the authority cannot be read", err.Error())
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, invalid("the authority in "+authority+" cannot be used", "it has no certificate in PEM")
		}
	}
	if certificate != "" || key != "" {
		pair, err := tls.LoadX509KeyPair(certificate, key)
		if err != nil {
			return nil, invalid("the certificate "+certificate+" cannot be used with the key "+key, err.Error())
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// WithUser logs in with a password, which never leaves this process (SCRAM-SHA-256). The function is asked for it before each
// connection.
func WithUser(name string, password func() (string, error)) Option {
	return func(o *options) error {
		if name == "" || strings.ContainsAny(name, ",=") || password == nil {
			return invalid("nobody can log in as "+strconv.Quote(name),
				"a user has a name without a comma and an equals sign, and a function that gives the password")
		}
		o.mechanism, o.user, o.secret = scramMechanism, name, password
		return nil
	}
}

// WithToken logs in with a signed token; only over TLS, unless the broker takes it otherwise, too. The function is asked for it before
// each connection, so that it may be renewed there: the broker asks a client to connect anew when its token ends.
func WithToken(token func() (string, error)) Option {
	return func(o *options) error {
		if token == nil {
			return invalid("there is no token", "a function is needed that gives one")
		}
		o.mechanism, o.user, o.secret = tokenMechanism, "", token
		return nil
	}
}

// encrypt makes TLS of a connection. The handshake happens with the first bytes.
func encrypt(nc net.Conn, endpoint string, config *tls.Config) net.Conn {
	if config == nil {
		return nc
	}
	if config.ServerName == "" && !config.InsecureSkipVerify {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(endpoint)
	}
	return tls.Client(nc, config)
}

// tlsFailure says in our words what TLS says; nil when it is something else.
func tlsFailure(endpoint string, err error) *pb.Error {
	failed := func(why, next string) *pb.Error {
		return wireError(codes.ConnectFailed, "cannot connect to "+endpoint, why, next)
	}
	var (
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		bad     x509.CertificateInvalidError
		record  tls.RecordHeaderError
		alert   tls.AlertError
		remote  *net.OpError
	)
	switch {
	case errors.As(err, &record):
		return failed("it does not speak TLS", "connect without TLS, or set tls.certificate at the broker")
	case errors.As(err, &bad) && bad.Reason == x509.Expired:
		return failed("its certificate has expired, or is not valid yet: "+bad.Error(),
			"renew the certificate of the broker: tls.certificate; look at the clocks of both machines")
	case errors.As(err, &unknown):
		return failed("its certificate was signed by an authority that this client does not trust",
			"trust the authority that signed it: RootCAs of the TLS configuration")
	case errors.As(err, &name):
		return failed("its certificate is for another name: "+name.Error(),
			"connect to a name that it has, or say which one is meant: ServerName of the TLS configuration")
	case errors.As(err, &alert), errors.As(err, &remote) && remote.Op == "remote error":
		return failed("it refuses the client's certificate, or its lack: "+err.Error(),
			"give a certificate that the broker's tls.client-authority signed and that is valid now, with its key")
	}
	return nil
}

// login is what one handshake proves, on both sides.
type login struct {
	mechanism, user, secret string
	nonce                   string
	expected                []byte // the broker's signature
}

// begin fills in what HELLO says of who the client is.
func (l *login) begin(hello *pb.Hello) {
	hello.AuthMechanism = l.mechanism
	switch l.mechanism {
	case scramMechanism:
		var random [24]byte
		rand.Read(random[:]) // never fails
		l.nonce = base64.StdEncoding.EncodeToString(random[:])
		hello.AuthData = []byte(gs2Header + l.firstBare())
	case tokenMechanism:
		hello.AuthData = []byte(l.secret)
	}
}

func (l *login) firstBare() string { return "n=" + l.user + ",r=" + l.nonce }

// answer is the proof for a challenge.
func (l *login) answer(challenge []byte) ([]byte, error) {
	if l.nonce == "" {
		return nil, errors.New("it asks for a proof that was not begun")
	}
	fields := strings.Split(string(challenge), ",")
	if len(fields) != 3 || !strings.HasPrefix(fields[0], "r="+l.nonce) || len(fields[0]) == len("r="+l.nonce) ||
		!strings.HasPrefix(fields[1], "s=") || !strings.HasPrefix(fields[2], "i=") {
		return nil, errors.New("its challenge is not one of SCRAM")
	}
	salt, err := base64.StdEncoding.DecodeString(fields[1][2:])
	iterations, bad := strconv.Atoi(fields[2][2:])
	if err != nil || bad != nil || iterations < minIterations || iterations > maxIterations {
		return nil, fmt.Errorf("it asks for %s iterations", fields[2][2:])
	}
	salted, err := pbkdf2.Key(sha256.New, l.secret, salt, iterations, sha256.Size)
	if err != nil {
		return nil, err
	}
	clientKey := mac(salted, "Client Key")
	storedKey := sha256.Sum256(clientKey)
	withoutProof := "c=" + noBinding + "," + fields[0]
	all := l.firstBare() + "," + string(challenge) + "," + withoutProof
	proof := make([]byte, sha256.Size)
	subtle.XORBytes(proof, clientKey, mac(storedKey[:], all))
	l.expected = mac(mac(salted, "Server Key"), all)
	return []byte(withoutProof + ",p=" + base64.StdEncoding.EncodeToString(proof)), nil
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// doubt is why the broker is not believed; nil when it is.
func (l *login) doubt(endpoint string, final []byte) *pb.Error {
	if l.mechanism != scramMechanism {
		return nil
	}
	said, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(final), "v="))
	if err == nil && l.expected != nil && hmac.Equal(said, l.expected) {
		return nil
	}
	return wireError(codes.Unauthenticated, endpoint+" is not believed", "it did not prove that it knows the user's credential",
		"check that this is the broker that is meant, and that it is not older than 0.1")
}
