package cluster_test

import (
	"fmt"
	"strings"
	"time"
)

// page is the transcript, in Markdown.
type page struct {
	text strings.Builder
	open bool     // the last thing on the page was a command
	hide []string // what nobody needs to read, and what stands there in its place
}

// section begins one, with a sentence that says why.
func (p *page) section(title, why string) {
	p.close()
	fmt.Fprintf(&p.text, "\n%s\n", title)
	if why != "" {
		fmt.Fprintf(&p.text, "\n%s\n", why)
	}
}

// most is how many lines of what a command wrote are shown.
const most = 12

// command writes down a command, what it wrote and, where it took long, how long.
func (p *page) command(line, said string, took time.Duration) {
	if !p.open {
		p.text.WriteString("\n```console\n")
		p.open = true
	}
	fmt.Fprintf(&p.text, "$ %s", line)
	if took >= 2*time.Second {
		fmt.Fprintf(&p.text, "    # %s", round(took))
	}
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if len(lines) > most {
		lines = append(lines[:most], fmt.Sprintf("… and %d lines more", len(lines)-most))
	}
	for _, line := range lines {
		if line != "" {
			fmt.Fprintf(&p.text, "\n%s", strings.TrimRight(line, " "))
		}
	}
	p.text.WriteString("\n")
}

// fact writes down what was seen.
func (p *page) fact(format string, args ...any) {
	if p.open {
		p.close()
		p.text.WriteString("\n")
	}
	fmt.Fprintf(&p.text, "- "+format+"\n", args...)
}

func (p *page) close() {
	if p.open {
		p.text.WriteString("```\n")
	}
	p.open = false
}

// String is the page, with what nobody needs to read replaced.
func (p *page) String() string {
	p.close()
	return strings.NewReplacer(p.hide...).Replace(p.text.String())
}

func round(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(100 * time.Millisecond)
}
