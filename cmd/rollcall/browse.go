package main

import (
	"context"
	"os/exec"
	"runtime"
)

// browse shows an address in the user's browser. Where that cannot be, it says so;
// the address stands on the screen.
func (p *program) browse(ctx context.Context, url string) {
	name, args := "xdg-open", []string{url}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	if opener, set := p.env("BROWSER"); set && opener != "" {
		name, args = opener, []string{url}
	}
	cmd := exec.CommandContext(ctx, name, args...)
	if err := cmd.Start(); err != nil {
		p.complain("open the page in a browser: " + err.Error() + "; open " + url + " yourself")
		return
	}
	go func() { _ = cmd.Wait() }() // it may last as long as the browser
}
