package live

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"

	"rollcall/console/live/assets"
)

//go:embed shell.html
var shellFile embed.FS

// shellData is what the shell is made with: no word of a stranger is in it.
type shellData struct {
	Language, Version string
	Kiosk, Hidden     bool
}

// shell serves the page without what it shows, which comes by the stream.
func (p *Page) shell(w http.ResponseWriter, r *http.Request) {
	made, err := template.ParseFS(shellFile, "shell.html")
	if err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	var b bytes.Buffer
	data := shellData{language(r), p.files.Version, r.URL.Query().Has("kiosk"), p.cfg.HideNames}
	if err := made.Execute(&b, data); err != nil {
		http.Error(w, "the page cannot be made", http.StatusInternalServerError)
		return
	}
	w.Header().Add("Vary", "Accept-Language")
	body := assets.Pack(b.Bytes())
	body.Serve(w, r, "text/html; charset=utf-8")
}

// language is en or zh-CN: what the address says, or what the browser prefers.
func language(r *http.Request) string {
	wanted := r.URL.Query().Get("lang") + "," + r.Header.Get("Accept-Language")
	for word := range strings.SplitSeq(wanted, ",") {
		switch word = strings.TrimSpace(word); {
		case strings.HasPrefix(word, "zh"):
			return "zh-CN"
		case strings.HasPrefix(word, "en"):
			return "en"
		}
	}
	return "en"
}
