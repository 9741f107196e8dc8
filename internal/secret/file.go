package secret

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// MaxBytes is the size of the largest file that is taken for a secret.
const MaxBytes = 64 << 10

// ReadFile reads the secret that a regular file holds as UTF-8 text. White space
// around it, such as the line end of an editor, is not part of it. Its errors
// say what is wrong with the content, and never show any of it, nor a name of a
// file that may be a secret itself.
func ReadFile(path string) (String, error) {
	if err := CheckFile(path); err != nil {
		return String{}, err
	}
	file, err := os.Open(path)
	if err != nil {
		return String{}, unreadable(path, err)
	}
	defer func() { _ = file.Close() }() // nothing was written
	content, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return String{}, unreadable(path, err)
	}
	value, err := Parse(content)
	if err != nil {
		return String{}, fmt.Errorf("%s: %w", path, err)
	}
	return value, nil
}

// Parse returns the secret in the content of a file or of an environment variable,
// by the rules of [ReadFile].
func Parse(content []byte) (String, error) {
	text := strings.TrimSpace(string(content))
	switch {
	case len(content) > MaxBytes:
		return String{}, fmt.Errorf("it is larger than %d bytes and cannot be a secret", MaxBytes)
	case bytes.HasPrefix(content, []byte("\xff\xfe")), bytes.HasPrefix(content, []byte("\xfe\xff")), bytes.IndexByte(content, 0) >= 0:
		return String{}, errors.New("it is UTF-16 text or not text; save it as UTF-8, or write it with printf '%s' in a shell")
	case bytes.HasPrefix(content, []byte("\xef\xbb\xbf")):
		return String{}, errors.New("it begins with a byte-order mark; save it as UTF-8 without one")
	case !utf8.ValidString(text):
		return String{}, errors.New("it is not UTF-8 text; save it as UTF-8")
	case text == "":
		return String{}, errors.New("it is empty")
	case quoted(text):
		return String{}, errors.New("it stands in quotes, which would be taken for a part of it; remove them")
	}
	return New(text), nil
}

func quoted(text string) bool {
	for _, pair := range []string{`""`, "''", "``", "“”", "‘’"} {
		open, size := utf8.DecodeRuneInString(pair)
		if len(text) >= len(pair) && strings.HasPrefix(text, string(open)) && strings.HasSuffix(text, pair[size:]) {
			return true
		}
	}
	return false
}

// CheckFile reports why a path, even one of a certificate or a key, names
// nothing that can be read again and again: only a regular file can, and never
// blocks.
func CheckFile(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return unreadable(path, err)
	case info.IsDir():
		return fmt.Errorf("%s is a directory; name the file in it", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	case info.Size() == 0:
		return fmt.Errorf("%s is empty", path)
	}
	return nil
}

// unreadable explains why a file cannot be read.
func unreadable(path string, err error) error {
	if file, is := errors.AsType[*fs.PathError](err); is {
		err = file.Err
	}
	if !visible(path) {
		return fmt.Errorf("%w; none of the name is shown, since a secret may stand where its file's name belongs", err)
	}
	return fmt.Errorf("open %s: %w", path, err)
}

// Shown returns the path of a secret's file as it may be shown: not if it may be
// the secret itself.
func Shown(path string) string {
	if visible(path) {
		return path
	}
	return "(none of the name is shown, since a secret may stand there instead)"
}

// visible reports whether a path surely is one: the file is there, or at least
// the directory that it names, other than the root, with which a secret of
// letters and slashes may begin.
func visible(path string) bool {
	if _, err := os.Lstat(path); err == nil {
		return true
	}
	dir := filepath.Dir(path)
	if dir == "." {
		return strings.HasPrefix(path, "."+string(filepath.Separator))
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir() && dir != filepath.Dir(dir)
}
