//go:build unix

package spill

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lockFile keeps other processes out for as long as the file is open.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is locked: another process, or another spool of this one, uses the directory: %w", path, err),
			file.Close())
	}
	return file, nil
}
