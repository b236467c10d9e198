# Spillway. `make help` lists the targets.
MVN := mvn -B -q
VERSION := $(shell sed -n 's:^  <version>\(.*\)</version>$$:\1:p' pom.xml)
DIST := build/spillway-$(VERSION)
FUZZTIME ?= 200000x
JDK25 ?= $(firstword $(wildcard /usr/lib/jvm/*25*))

.PHONY: help build examples demo cluster-demo test test-java test-go test-rust test-console test-vectors test-jdk25 chaos chaos-scenarios bench bench-peers test-bench dist deb test-packages format generate clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build the broker and its class archive for a fast start
	$(MVN) -pl broker -am package -DskipTests $(PROFILES)
	bin/archive

examples: build-dir ## build the examples of the Go and Rust clients
	go -C go-client build -o ../build/examples/go/ ./examples/producer ./examples/consumer ./examples/canary
	cd rust-client && cargo build --quiet --examples

demo: build examples ## publish, kill, restart, consume, verify, replay, in three languages: the whole story in minutes
	bin/demo $(FILE)

cluster-demo: build ## three brokers, kill the leader, lose nothing: a minute
	bin/cluster-demo

.PHONY: build-dir
build-dir:
	@mkdir -p build

test: test-bench test-java test-go test-rust test-vectors ## run every test, of the broker and of all clients

test-java: ## the broker, the Java client, and the conformance suite with all three clients
	mvn -B verify -Dconformance.languages=java,go,rust

test-go: build-dir ## the Go client, against the broker that was built last
	go -C go-client/internal/gen run . -check
	@unformatted=$$(gofmt -l go-client); [ -z "$$unformatted" ] || { echo "error: run make format: $$unformatted"; exit 1; }
	go -C go-client vet ./...
	go -C go-client test -race -count=1 -v ./... > build/go-test.log 2>&1; status=$$?; \
	grep -v '^=== \|^    --- PASS\|^--- PASS' build/go-test.log; exit $$status
	go -C go-client/prometheus test ./...
	go -C go-client/otel vet ./... && go -C go-client/otel test ./...
	for target in FuzzFrame FuzzRecordBatch; do \
	go -C go-client test ./internal/wire -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) || exit 1; done

test-rust: build-dir ## the Rust client, against the broker that was built last
	cd rust-client && cargo run --quiet --package gen -- --check
	cd rust-client && cargo fmt --all --check
	cd rust-client && cargo clippy --quiet --workspace --all-targets --all-features -- -D warnings
	cd rust-client && RUSTDOCFLAGS=-Dwarnings cargo doc --quiet --no-deps --all-features
	cd rust-client && cargo test --quiet --all-features --lib -- --show-output core:: wire:: spill:: > ../build/rust-vectors.log 2>&1 || \
	{ cat ../build/rust-vectors.log; exit 1; }
	cd rust-client && cargo test --workspace --all-features > ../build/rust-test.log 2>&1; status=$$?; \
	grep -v ' \.\.\. ok$$\|^$$' ../build/rust-test.log; exit $$status

test-console: console-tests/node_modules ## the console in a headless Chromium, against the broker that was built last; needs Node 20 and chromium
	cd console-tests && node --test --test-concurrency=1 --test-reporter=spec *.test.js

console-tests/node_modules: console-tests/package-lock.json
	cd console-tests && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

test-vectors: test-java test-go test-rust ## whether the three languages ran the same test vectors
	vectors/compare

test-jdk25: ## run every test on JDK 25
	mvn -B verify -Djvm=$(JDK25)/bin/java "-Djvm.extra=--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"

ROUNDS ?= 50
SECONDS ?= 60
chaos: chaos-scenarios ## a cluster under faults, and the partial failures: ROUNDS=50 SECONDS=60 SEED=n MODE=netns|loopback; see docs/reliability.md
	chaos/run --rounds $(ROUNDS) --seconds $(SECONDS) $(if $(SEED),--seed $(SEED)) $(if $(MODE),--mode $(MODE))

SCENARIO ?= all
chaos-scenarios: ## the partial failures, with what is expected and what is seen: SCENARIO=1,7 SEED=n; see docs/reliability.md
	chaos/run --scenario $(SCENARIO) $(if $(SEED),--seed $(SEED)) $(if $(MODE),--mode $(MODE))

PEERS ?=
bench-peers: build ## Spillway and its peers side by side: PEERS="--quick" tries it in minutes, all of it takes hours; see bench/README.md
	bench/peers/install
	bench/peers/run $(PEERS)

test-bench: ## what the comparison and the cost model compute and write, without any server; needs Python 3
	python3 -B -m unittest discover -s bench/peers
	python3 -B -m unittest discover -s bench/model

bench: ## measure end to end, the short form; see bench/README.md
	bench/run e2e quick

dist: PROFILES := -Psbom
dist: build ## a tarball with everything to run, its own Java runtime included, in build/, and SBOMs; ADVISORIES=DIR compares them with an export of OSV
	rm -rf $(DIST)
	mkdir -p $(DIST)/bin $(DIST)/lib
	packaging/runtime $(DIST)/runtime
	cp bin/spillway bin/archive $(DIST)/bin/
	cp broker/target/dist/*.jar $(DIST)/lib/
	cp -r README.md CHANGELOG.md LICENSE docs $(DIST)/
	packaging/sbom $(DIST) $(VERSION)
	packaging/vulnerabilities $(DIST)
	tar -C build --owner=0 --group=0 -czf $(DIST).tar.gz spillway-$(VERSION)
	@echo $(DIST).tar.gz

deb: dist ## a Debian package, in build/
	packaging/deb $(DIST) $(VERSION)

test-packages: dist ## look at what a distribution says of itself, install, upgrade and remove the Debian package in a root of its own, and validate the manifests for Kubernetes, and the alerts and the dashboard in a Prometheus
	packaging/test-sbom $(DIST)
	packaging/test-deb $(DIST)
	deploy/kubernetes/validate
	deploy/prometheus/validate

format: ## format all sources
	$(MVN) spotless:apply
	gofmt -w go-client
	cd rust-client && cargo fmt --all

generate: ## write the generated sources of the Go and Rust clients anew
	go -C go-client/internal/gen run .
	cd rust-client && cargo run --quiet --package gen

clean: ## remove what was built
	$(MVN) clean
	rm -rf build rust-client/target
