package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"rollcall/cmd/rollcall/config"
	"rollcall/internal/safetext"
)

// Printer writes results for people, in columns: the verdict, whose check, and
// what was found; what can be done about it stands below, after an arrow.
type Printer struct {
	Out   io.Writer
	width int // of the second column
}

// NewPrinter makes a printer for checks of a configuration.
func NewPrinter(out io.Writer, cfg config.Config) Printer {
	width := len("local: downstream:") // the longest of those that do not belong to a tenant
	for _, t := range cfg.Tenants {
		width = max(width, len(t.Name+": permission:"))
	}
	for _, t := range cfg.Forward.Targets {
		width = max(width, len("forward: "+t.Name+":"))
	}
	return Printer{out, width}
}

// Print writes one result.
func (p Printer) Print(r Result) error {
	verdict := string(r.Verdict)
	if r.Verdict == Fail {
		verdict = "FAIL"
	}
	who := r.Part
	if r.Tenant != "" {
		who = r.Tenant
	}
	what := r.Found
	if r.Tried != "" {
		what = r.Tried + ": " + r.Found
	}
	_, err := fmt.Fprintf(p.Out, "%-5s %s %s\n%s", verdict, safetext.Pad(who+": "+r.Check, p.width), what, p.fixes(r.Fix))
	return err
}

func (p Printer) fixes(fix string) string {
	if fix == "" {
		return ""
	}
	arrow := strings.Repeat(" ", len("fail  ")+p.width+len(" ")) + "→ "
	return arrow + strings.ReplaceAll(fix, "\n", "\n"+arrow) + "\n"
}

// resultJSON is a result on one line of JSON.
type resultJSON struct {
	Verdict Verdict `json:"verdict"`
	Part    string  `json:"part"`
	Tenant  string  `json:"tenant,omitempty"`
	Check   string  `json:"check"`
	Tried   string  `json:"tried"`
	Found   string  `json:"found"`
	Fix     string  `json:"mend,omitempty"`
	TookMs  int64   `json:"tookMs"`
}

// PrintJSON writes a result as one JSON object on one line.
func PrintJSON(out io.Writer, r Result) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(resultJSON{r.Verdict, r.Part, r.Tenant, r.Check, r.Tried, r.Found, r.Fix, r.Took.Milliseconds()})
	if err != nil {
		return err
	}
	_, err = out.Write(append(safetext.JSON(b.Bytes()), '\n'))
	return err
}
