# Spillway. `make help` lists the targets.
MVN := mvn -B -q
VERSION := 0.1.0
JDK25 ?= $(firstword $(wildcard /usr/lib/jvm/*25*))

.PHONY: help build demo test test-jdk25 bench dist format clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | column -t -s "$$(printf '\t')"

build: ## build the broker and its class archive for a fast start
	$(MVN) -pl broker -am package -DskipTests
	bin/archive

demo: build ## publish, kill, restart, consume, verify, replay: the whole story in a minute or two
	bin/demo $(FILE)

test: ## run every test
	mvn -B verify

test-jdk25: ## run every test on JDK 25
	mvn -B verify -Djvm=$(JDK25)/bin/java "-Djvm.extra=--enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow"

bench: ## measure end to end, the short form; see bench/README.md
	bench/run e2e quick

dist: build ## a tarball with everything to run, in build/
	mkdir -p build/spillway-$(VERSION)/lib build/spillway-$(VERSION)/bin
	cp broker/target/dist/* build/spillway-$(VERSION)/lib/
	cp bin/spillway bin/archive build/spillway-$(VERSION)/bin/
	cp -r README.md CHANGELOG.md LICENSE docs build/spillway-$(VERSION)/
	tar -C build -czf build/spillway-$(VERSION).tar.gz spillway-$(VERSION)
	@echo build/spillway-$(VERSION).tar.gz

format: ## format all Java sources
	$(MVN) spotless:apply

clean: ## remove what was built
	$(MVN) clean
	rm -rf build
