# make run starts Hearth, make test tests it. Both do their own set-up.
VERSION ?= 0.1.0
FUZZTIME ?= 20s

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: build run test check bench soak web fuzz dist

GO_BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)"
NPM := npm --prefix webui --no-audit --no-fund --no-update-notifier
TOOLS := bin/tools

build: web ## bin/hearth: static, stripped, with the web interface inside
	$(GO_BUILD) -o bin/hearth ./cmd/hearth

run: build ## build and start; ARGS="--listen :9000" passes options
	@bin/hearth $(ARGS)

# Everything: Go with the race detector, the web interface's unit tests, and two people in a browser.
test: build
	packaging/test-needs
	go vet ./...
	go test -race -timeout 14m ./...
	$(NPM) test
	$(NPM) run e2e

check: webui/node_modules/.installed $(TOOLS)/staticcheck $(TOOLS)/deadcode $(TOOLS)/actionlint
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt would change: $$unformatted"; exit 1; }
	go vet ./...
	$(TOOLS)/staticcheck ./...
	@dead=$$($(TOOLS)/deadcode -test ./...); [ -z "$$dead" ] || { echo "$$dead"; exit 1; }
	$(TOOLS)/actionlint
	$(NPM) run check

bench: build ## what this machine holds; ARGS="--write README.md" keeps the table
	bin/hearth bench $(ARGS)

# The long versions of the tests that break things: random operations, kill -9.
soak:
	HEARTH_SOAK=1 go test -count=1 -timeout 3h -run 'Simulate|Kill' -v ./store/... ./cmd/hearth

web: webui/dist/index.html

fuzz: ## every fuzz target, FUZZTIME each
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

dist: web ## dist/: an archive for each processor, and checksums
	rm -rf dist && mkdir dist
	for arch in amd64 arm64; do \
		name=hearth-$(VERSION)-linux-$$arch; \
		mkdir dist/$$name; \
		GOOS=linux GOARCH=$$arch $(GO_BUILD) -o dist/$$name/hearth ./cmd/hearth; \
		cp README.md LICENSE CHANGELOG.md dist/$$name; \
		tar -C dist --sort=name --owner=0 --group=0 --numeric-owner --mtime='1970-01-01 00:00Z' -cf - $$name | gzip -n >dist/$$name.tar.gz; \
		rm -r dist/$$name; \
	done
	cd dist && sha256sum *.tar.gz >SHA256SUMS && cat SHA256SUMS

webui/node_modules/.installed: webui/package.json webui/package-lock.json
	$(NPM) ci
	touch $@

webui/dist/index.html: webui/node_modules/.installed webui/index.html webui/vite.config.ts webui/tsconfig.json $(shell find webui/src webui/public -type f 2>/dev/null)
	$(NPM) run build
	touch $@

$(TOOLS)/staticcheck: Makefile
	GOBIN=$(CURDIR)/$(TOOLS) go install honnef.co/go/tools/cmd/staticcheck@v0.8.2
	touch $@

$(TOOLS)/deadcode: Makefile
	GOBIN=$(CURDIR)/$(TOOLS) go install golang.org/x/tools/cmd/deadcode@v0.52.0
	touch $@

$(TOOLS)/actionlint: Makefile
	GOBIN=$(CURDIR)/$(TOOLS) go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
	touch $@
