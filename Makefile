# Spillway. `make help` lists the targets.
MVN := mvn -B -q
VERSION := $(shell sed -n 's:^  <version>\(.*\)</version>$$:\1:p' pom.xml)
DIST := build/spillway-$(VERSION)
JDK25 ?= $(firstword $(wildcard /usr/lib/jvm/*25*))

.PHONY: help build demo test test-jdk25 bench dist format clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

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
	rm -rf $(DIST)
	mkdir -p $(DIST)/bin $(DIST)/lib
	cp bin/spillway bin/archive $(DIST)/bin/
	cp broker/target/dist/*.jar $(DIST)/lib/
	cp -r README.md CHANGELOG.md LICENSE docs $(DIST)/
	tar -C build --owner=0 --group=0 -czf $(DIST).tar.gz spillway-$(VERSION)
	@echo $(DIST).tar.gz

format: ## format all Java sources
	$(MVN) spotless:apply

clean: ## remove what was built
	$(MVN) clean
	rm -rf build
