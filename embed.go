// Package hearth carries the built web interface inside the binary.
package hearth

import (
	"embed"
	"io/fs"
)

//go:embed all:webui/dist
var built embed.FS

// Web returns the built web interface: index.html at its root, hashed files
// under assets/, and a .gz beside every text file. A tree in which the interface
// was never built holds only placeholder.txt, so the program compiles without Node.
func Web() fs.FS {
	web, err := fs.Sub(built, "webui/dist")
	if err != nil {
		panic(err) // the path is a constant that the embed line above guarantees
	}
	return web
}
