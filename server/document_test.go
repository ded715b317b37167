package server_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// document is openapi.json, ready to judge answers and frames by.
type document struct {
	operations  []*operation
	frames      map[string]*jsonschema.Schema // what the server sends, by type
	clientFrame *jsonschema.Schema

	mu      sync.Mutex
	visited map[visit]bool
	heard   map[string]bool // types of frames
}

// operation is one method of one path of the document.
type operation struct {
	ID, Method, Path, Who string
	HasBody               bool
	answers               map[int]map[string]*jsonschema.Schema // by status and media type
	pattern               *regexp.Regexp
}

// visit is one answer that was seen.
type visit struct {
	operation string
	status    int
}

// theDocument reads openapi.json once for all tests.
var theDocument = sync.OnceValue(func() *document {
	d, err := readDocument("openapi.json")
	if err != nil {
		panic(err)
	}
	return d
})

// documentShape is what is read of the document besides its schemas.
type documentShape struct {
	Paths map[string]map[string]struct {
		OperationID string                 `json:"operationId"`
		Who         string                 `json:"x-who"`
		RequestBody json.RawMessage        `json:"requestBody"`
		Responses   map[string]answerShape `json:"responses"`
	} `json:"paths"`
	Components struct {
		Responses map[string]answerShape `json:"responses"`
		Schemas   map[string]frameShape  `json:"schemas"`
	} `json:"components"`
}

type answerShape struct {
	Ref     string                     `json:"$ref"`
	Content map[string]json.RawMessage `json:"content"`
}

// frameShape is a schema as far as it tells a frame, or the frames there are.
type frameShape struct {
	OneOf []struct {
		Ref string `json:"$ref"`
	} `json:"oneOf"`
	Properties struct {
		Type struct {
			Const string `json:"const"`
		} `json:"type"`
	} `json:"properties"`
}

func readDocument(file string) (*document, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	whole, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var shape documentShape
	if err := json.Unmarshal(raw, &shape); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource(file, whole); err != nil {
		return nil, err
	}
	d := &document{frames: map[string]*jsonschema.Schema{}, visited: map[visit]bool{}, heard: map[string]bool{}}
	for _, frame := range shape.Components.Schemas["ServerFrame"].OneOf {
		name := frame.Ref[strings.LastIndexByte(frame.Ref, '/')+1:]
		kind := shape.Components.Schemas[name].Properties.Type.Const
		if d.frames[kind], err = compiler.Compile(file + frame.Ref); err != nil {
			return nil, err
		}
	}
	if d.clientFrame, err = compiler.Compile(file + "#/components/schemas/ClientFrame"); err != nil {
		return nil, err
	}
	for path, methods := range shape.Paths {
		for method, o := range methods {
			op := &operation{
				ID: o.OperationID, Method: strings.ToUpper(method), Path: path, Who: o.Who, HasBody: o.RequestBody != nil,
				answers: map[int]map[string]*jsonschema.Schema{}, pattern: pathPattern(path),
			}
			for status, answer := range o.Responses {
				where := fmt.Sprintf("%s#/paths/%s/%s/responses/%s", file, pointer(path), method, status)
				if answer.Ref != "" {
					where = file + answer.Ref
					answer = shape.Components.Responses[answer.Ref[strings.LastIndexByte(answer.Ref, '/')+1:]]
				}
				code, err := strconv.Atoi(status)
				if err == nil {
					op.answers[code], err = answer.compile(compiler, where)
				}
				if err != nil {
					return nil, fmt.Errorf("%s %s, %s: %w", method, path, status, err)
				}
			}
			d.operations = append(d.operations, op)
		}
	}
	// Fewer parameters first, so that a path that is spelled out wins over one with {id}.
	slices.SortFunc(d.operations, func(a, b *operation) int {
		return cmp.Or(strings.Count(a.Path, "{")-strings.Count(b.Path, "{"), strings.Compare(a.Path+a.Method, b.Path+b.Method))
	})
	return d, nil
}

// compile returns the schemas of an answer, which stands at where, by media type.
func (a answerShape) compile(compiler *jsonschema.Compiler, where string) (schemas map[string]*jsonschema.Schema, err error) {
	schemas = map[string]*jsonschema.Schema{}
	for media := range a.Content {
		if schemas[media], err = compiler.Compile(where + "/content/" + pointer(media) + "/schema"); err != nil {
			return nil, err
		}
	}
	return schemas, nil
}

// pointer escapes one step of a JSON pointer within a URI fragment.
func pointer(step string) string {
	return strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(step)
}

var pathParameter = regexp.MustCompile(`\\\{\w+\\\}`)

func pathPattern(path string) *regexp.Regexp {
	return regexp.MustCompile("^" + pathParameter.ReplaceAllString(regexp.QuoteMeta(path), `[^/]+`) + "/?$")
}

// operation finds what a request is called in the document; nil if it is not there.
func (d *document) operation(method, path string) *operation {
	for _, op := range d.operations {
		if op.Method == method && op.pattern.MatchString(path) {
			return op
		}
	}
	return nil
}

// named returns the operation with an operationId.
func (d *document) named(t *testing.T, id string) *operation {
	t.Helper()
	for _, op := range d.operations {
		if op.ID == id {
			return op
		}
	}
	t.Fatalf("the document has no operation %q", id)
	return nil
}

// judge holds one answer to the document and remembers that it was seen. Requests that
// are not in the document pass: their answers are 404 and 405.
func (d *document) judge(t *testing.T, method, path string, response *http.Response, body []byte) {
	t.Helper()
	if id := response.Header.Get("X-Request-Id"); !requestID.MatchString(id) {
		t.Errorf("%s %s: X-Request-Id = %q", method, path, id)
	}
	op := d.operation(method, path)
	if op == nil {
		return
	}
	schemas, ok := op.answers[response.StatusCode]
	if !ok {
		t.Errorf("%s (%s %s) answers %d, which is not documented: %.300s", op.ID, method, path, response.StatusCode, body)
		return
	}
	if response.StatusCode == http.StatusTooManyRequests || response.StatusCode == http.StatusServiceUnavailable && op.ID != "health" {
		if n, err := strconv.Atoi(response.Header.Get("Retry-After")); err != nil || n < 1 {
			t.Errorf("%s (%s %s) answers %d with Retry-After %q, want seconds", op.ID, method, path, response.StatusCode, response.Header.Get("Retry-After"))
		}
	}
	if len(schemas) > 0 {
		media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
		schema, ok := schemas[media]
		if !ok {
			t.Errorf("%s (%s %s) answers %d as %q, which is not documented", op.ID, method, path, response.StatusCode, media)
			return
		}
		if media == "application/json" {
			if err := judgeJSON(schema, body); err != nil {
				t.Errorf("%s (%s %s) answers %d out of its schema: %v\n%.2000s", op.ID, method, path, response.StatusCode, err, body)
			} else if op.ID != "openapi" && body[0] == '{' && judgeJSON(schema, append([]byte(`{"unheard_of":1,`), body[1:]...)) == nil {
				t.Errorf("%s: the schema of %d allows fields that it does not name", op.ID, response.StatusCode)
			}
		}
	}
	d.mu.Lock()
	d.visited[visit{op.ID, response.StatusCode}] = true
	d.mu.Unlock()
}

var requestID = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// judgeFrame holds one frame from the server to the document and remembers its type.
func (d *document) judgeFrame(t *testing.T, kind string, frame []byte) {
	t.Helper()
	schema, ok := d.frames[kind]
	if !ok {
		t.Errorf("a frame of a type that is not documented: %.2000s", frame)
	} else if err := judgeJSON(schema, frame); err != nil {
		t.Errorf("frame out of its schema: %v\n%.2000s", err, frame)
	}
	d.mu.Lock()
	d.heard[kind] = true
	d.mu.Unlock()
}

func judgeJSON(schema *jsonschema.Schema, text []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// unvisited lists the documented answers that no test has seen.
func (d *document) unvisited() []visit {
	d.mu.Lock()
	defer d.mu.Unlock()
	var missing []visit
	for _, op := range d.operations {
		for status := range op.answers {
			if v := (visit{op.ID, status}); !d.visited[v] {
				missing = append(missing, v)
			}
		}
	}
	slices.SortFunc(missing, func(a, b visit) int {
		return cmp.Or(strings.Compare(a.operation, b.operation), a.status-b.status)
	})
	return missing
}
