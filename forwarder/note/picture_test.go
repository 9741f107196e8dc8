package note_test

import (
	"encoding/json"
	"flag"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rollcall/forwarder/target"
)

// docs/forwarding.png is drawn of the golden files, by hand, whenever they change:
//
//	go test ./forwarder/note -run TestPicture -picture /tmp/forwarding.html
//	chromium --headless --no-sandbox --disable-gpu --disable-background-networking --disable-component-update \
//	  --disable-sync --no-first-run --user-data-dir="$(mktemp -d)" --hide-scrollbars --disable-lcd-text \
//	  --run-all-compositor-stages-before-draw --virtual-time-budget=5000 --window-size=1280,660 \
//	  --screenshot=/tmp/forwarding.png /tmp/forwarding.html
//	pngquant --strip --output docs/forwarding.png --force 64 /tmp/forwarding.png
//
// The font is Noto Sans CJK (Debian's fonts-noto-cjk).
var picture = flag.String("picture", "", "write a page of what arrives, as the services show it, to this file")

// drawn is a service in the picture; each shows the same notes.
type drawn struct {
	Name     string // the kind's
	Title    string
	Messages []message
}

// message is one message as a sketch of the service shows it.
type message struct {
	Title string
	Body  []template.HTML
}

// The samples that are drawn: a kick and an end in English, several changes
// with a hostile name in Chinese.
func TestPicture(t *testing.T) {
	if *picture == "" {
		t.Skip("draws only with -picture FILE")
	}
	var services []drawn
	for _, kind := range target.Kinds() {
		if kind.Markup == nil {
			continue // it takes events
		}
		d := drawn{Name: kind.Name, Title: kind.Title}
		for _, sample := range []struct {
			language string
			index    int
		}{{"en", 0}, {"en", 4}, {"zh", 2}} {
			data, err := os.ReadFile(filepath.Join("testdata", kind.Name+"."+sample.language+".json"))
			if err != nil {
				t.Fatal(err)
			}
			var sent []json.RawMessage
			if err := json.Unmarshal(data, &sent); err != nil {
				t.Fatal(err)
			}
			d.Messages = append(d.Messages, sketch(t, sent[sample.index]))
		}
		services = append(services, d)
	}
	out, err := os.Create(*picture)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	if err := template.Must(template.New("page").Parse(page)).Execute(out, services); err != nil {
		t.Fatal(err)
	}
}

// sketch takes a request apart as its service does.
func sketch(t *testing.T, body json.RawMessage) message {
	var sent struct {
		Markdown struct{ Title, Text, Content string }
		Card     struct {
			Header struct{ Title struct{ Content string } }
			Body   struct{ Elements []struct{ Content string } }
		}
		Blocks []struct {
			Type string
			Text struct{ Text string }
		}
		Attachments []struct {
			Content struct{ Body []struct{ Text string } }
		}
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		t.Fatal(err)
	}
	m := message{}
	switch {
	case sent.Card.Header.Title.Content != "":
		m.Title = sent.Card.Header.Title.Content
		m.lines(sent.Card.Body.Elements[0].Content)
	case len(sent.Blocks) > 0:
		m.Title = sent.Blocks[0].Text.Text
		for _, b := range sent.Blocks[1:] {
			m.lines(b.Text.Text)
		}
	case len(sent.Attachments) > 0:
		for i, b := range sent.Attachments[0].Content.Body {
			if i == 0 {
				m.Title = b.Text
				continue
			}
			m.lines(b.Text)
		}
	default:
		title, text, _ := strings.Cut(sent.Markdown.Text+sent.Markdown.Content, "\n")
		m.Title = strings.TrimPrefix(title, "### ")
		m.lines(text)
	}
	return m
}

// lines shows the little markup that is used: items, bold, colours, entities.
func (m *message) lines(text string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		class := "text"
		for _, item := range []string{"- ", "• "} {
			if rest, ok := strings.CutPrefix(line, item); ok {
				line, class = rest, "item"
			}
		}
		if rest, ok := strings.CutPrefix(line, "> "); ok {
			line, class = rest, "quote"
		}
		shown := template.HTMLEscapeString(line)
		for pattern, by := range map[string]string{
			`&lt;font color=(?:&#39;|&#34;)(\w+)(?:&#39;|&#34;)&gt;`: `<span class="$1">`,
			`&lt;/font&gt;`:          `</span>`,
			`&amp;(#\d+|lt|gt|amp);`: `&$1;`,
			`\*\*(.+?)\*\*`:          `<b>$1</b>`,
		} {
			shown = regexp.MustCompile(pattern).ReplaceAllString(shown, by)
		}
		m.Body = append(m.Body, template.HTML(`<p class="`+class+`">`+shown+`</p>`))
	}
}

const page = `<!doctype html><meta charset="utf-8"><style>
body{margin:0;padding:16px;background:#eceff3;font:13px/1.45 "Noto Sans CJK SC",sans-serif;color:#1f2329;display:grid;grid-auto-flow:column;grid-auto-columns:1fr;gap:12px}
h2{font-size:14px;margin:0 0 8px;color:#51565d;font-weight:500}
.m{background:#fff;border-radius:8px;margin-bottom:10px;overflow:hidden;overflow-wrap:anywhere;box-shadow:0 1px 2px #0002}
.t{font-weight:700;padding:9px 11px 0}.b{padding:5px 11px 10px}
.feishu .t{background:#e1eaff;padding-bottom:8px;color:#1c4cba}.slack .m{border-radius:0;box-shadow:none;background:#fff;border-left:4px solid #fff}
.wecom .t,.dingtalk .t{font-size:14px}.teams .m{border-radius:4px;border:1px solid #d6d6d6;box-shadow:none}
p{margin:3px 0}.item{padding-left:13px;position:relative}.item:before{content:"•";position:absolute;left:3px}
.quote{border-left:3px solid #d0d4da;padding-left:8px;margin:0;color:#51565d}
.red,.warning{color:#d83931}.green,.info{color:#2ea121}.grey,.comment{color:#8f959e}.warning{color:#e07b00}
</style>{{range .}}<div class="{{.Name}}"><h2>{{.Title}}</h2>{{range .Messages}}<div class="m"><div class="t">{{.Title}}</div><div class="b">{{range .Body}}{{.}}{{end}}</div></div>{{end}}</div>{{end}}`
