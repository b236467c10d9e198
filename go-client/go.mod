module github.com/spillway-io/spillway/go-client

go 1.24

require google.golang.org/protobuf v1.36.12

require go.uber.org/goleak v1.3.0
