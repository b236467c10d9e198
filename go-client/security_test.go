package spillway_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	spillway "github.com/spillway-io/spillway/go-client"
)

// certificate is one that signs itself, for these names, until then.
func certificate(t *testing.T, until time.Time, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// shake shakes hands as the broker's side of TLS.
func shake(config *tls.Config) func(net.Conn) {
	return func(nc net.Conn) {
		nc.SetDeadline(time.Now().Add(patience))
		session := tls.Server(nc, config)
		_ = session.Handshake() // the client says what is wrong
		_, _ = session.Read(make([]byte, 1))
	}
}

func TestSaysWhatIsWrongWithTLS(t *testing.T) {
	good, trusted := certificate(t, time.Now().Add(time.Hour), "localhost")
	old, oldTrusted := certificate(t, time.Now().Add(-time.Hour), "localhost")
	serve := func(certificate tls.Certificate) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{certificate}}
	}
	wantsOne := serve(good)
	wantsOne.ClientAuth = tls.RequireAnyClientCert
	for name, c := range map[string]struct {
		serve  func(net.Conn)
		client *tls.Config
		says   string
	}{
		"no TLS":          {answer("HTTP/1.1 400 Bad Request\r\n\r\n"), &tls.Config{}, "does not speak TLS"},
		"expired":         {shake(serve(old)), &tls.Config{RootCAs: oldTrusted, ServerName: "localhost"}, "has expired"},
		"unknown":         {shake(serve(good)), &tls.Config{RootCAs: oldTrusted, ServerName: "localhost"}, "does not trust"},
		"another name":    {shake(serve(good)), &tls.Config{RootCAs: trusted, ServerName: "elsewhere"}, "another name"},
		"own certificate": {shake(wantsOne), &tls.Config{RootCAs: trusted, ServerName: "localhost"}, "client's certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spillway.Connect(soon(t), spillway.WithEndpoints(peer(t, c.serve)), spillway.WithTLS(c.client))

			if !errors.Is(err, spillway.ErrConnectFailed) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestTellsNoSecretToNobody(t *testing.T) {
	_, err := spillway.Connect(soon(t), spillway.WithEndpoints(peer(t, answer(""))),
		spillway.WithToken(func() (string, error) { return "", errors.New("the vault is closed") }))

	if !errors.Is(err, spillway.ErrUnauthenticated) || !strings.Contains(err.Error(), "the vault is closed") {
		t.Errorf("the error is %v", err)
	}
	if _, err := spillway.Connect(soon(t), spillway.WithUser("a,b", nil)); err == nil {
		t.Error("a user with a comma was taken")
	}
}

func TestLogsInWithPasswordTokenAndCertificate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "secure")
	spillwayCommand(t, "", "secure", "init", "--directory", dir)
	keys := filepath.Join(t.TempDir(), "keys")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(keys, "main.hmac")
	if err := os.WriteFile(secret, []byte(strings.Repeat("A", 48)), 0o600); err != nil {
		t.Fatal(err)
	}
	b := &broker{t: t, binary: brokerBinary(t), dir: t.TempDir(), endpoint: "127.0.0.1:0",
		flags: []string{"--config", filepath.Join(dir, "spillway.yaml"), "--set", "auth.token-keys=" + keys}}
	t.Cleanup(b.kill)
	b.restart()
	trusting, err := spillway.TLSFiles(filepath.Join(dir, "authority.pem"), "", "")
	if err != nil {
		t.Fatal(err)
	}
	showing, err := spillway.TLSFiles(filepath.Join(dir, "authority.pem"), filepath.Join(dir, "admin.pem"), filepath.Join(dir, "admin.key"))
	if err != nil {
		t.Fatal(err)
	}
	password := func() (string, error) {
		text, err := os.ReadFile(filepath.Join(dir, "admin.password"))
		return strings.TrimSpace(string(text)), err
	}
	token := func() (string, error) {
		return strings.TrimSpace(spillwayCommand(t, "", "token", "issue", "admin", "--key", secret, "--valid", "1m")), nil
	}
	for name, options := range map[string][]spillway.Option{
		"password":    {spillway.WithTLS(trusting), spillway.WithUser("admin", password)},
		"token":       {spillway.WithTLS(trusting), spillway.WithToken(token)},
		"certificate": {spillway.WithTLS(showing)},
	} {
		t.Run(name, func(t *testing.T) {
			client := b.client(options...)
			topic := b.topic(client, 1)
			producer, err := client.Producer(soon(t), topic)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := producer.Publish(soon(t), spillway.Record{Value: []byte("x")}); err != nil {
				t.Error(err)
			}
		})
	}
	for name, options := range map[string][]spillway.Option{
		"nothing": {spillway.WithTLS(trusting)},
		"wrong password": {spillway.WithTLS(trusting),
			spillway.WithUser("admin", func() (string, error) { return "not the password", nil })},
		"token of nobody": {spillway.WithTLS(trusting), spillway.WithToken(func() (string, error) { return "a.b.c", nil })},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := spillway.Connect(soon(t), append(options, spillway.WithEndpoints(b.endpoint))...)
			if !errors.Is(err, spillway.ErrUnauthenticated) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func spillwayCommand(t *testing.T, input string, arguments ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, brokerBinary(t), arguments...)
	command.Stdin = strings.NewReader(input)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
