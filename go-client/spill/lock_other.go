//go:build !unix

package spill

import "os"

// lockFile keeps nobody out here: one spool to a directory is up to who opens it.
func lockFile(path string) (*os.File, error) { return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644) }
