package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"rollcall/internal/address"
	"rollcall/internal/safetext"
	"rollcall/simulator/chat"
)

// besideChat serves the chat services beside DingTalk's API, prints their
// addresses, and then what arrives, a line a message.
func besideChat(out io.Writer, api http.Handler, listen net.Addr) (http.Handler, error) {
	services, err := chat.New(chat.Config{Keep: remembered, Arrived: func(m chat.Message) {
		_, _ = io.WriteString(out, arrival(m)) // whoever reads no more still sees /chat/messages
	}})
	if err != nil {
		return nil, fmt.Errorf("make the chat services: %w", err)
	}
	if _, err := io.WriteString(out, chatSetup(services.Robots(), "http://"+address.Dialable(listen.String()))); err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if services.Serves(r) {
			services.Handler().ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	}), nil
}

// arrival returns a message as one line.
func arrival(m chat.Message) string {
	text := m.Text
	if m.Title != "" && m.Form != "event" {
		text = m.Title + "\n" + text
	}
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' })
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return fmt.Sprintf("%s %s/%s: %s\n", m.At.Format("15:04:05"), m.Service, m.Robot, safetext.Line(strings.Join(lines, " / ")))
}

// chatSetup returns what to paste: the files of the addresses and secrets, for
// a shell, and the targets in them, for the configuration.
func chatSetup(robots []chat.Robot, at string) string {
	var files, targets strings.Builder
	for _, robot := range robots {
		file := "chat/" + robot.Service
		fmt.Fprintf(&files, "printf %%s '%s%s' >%s\n", at, robot.Path(), file)
		fmt.Fprintf(&targets, "    - {name: %[1]s, kind: %[1]s, url_file: %s", robot.Service, file)
		if robot.Secret != "" {
			fmt.Fprintf(&files, "printf %%s '%s' >%s-secret\n", robot.Secret, file)
			fmt.Fprintf(&targets, ", secret_file: %s-secret", file)
		}
		if robot.Service == "webhook" {
			targets.WriteString(", allow_private: true")
		}
		targets.WriteString("}\n")
	}
	return fmt.Sprintf(`
# Chat services, simulated, listen there as well. Their addresses and secrets as files, for a shell:
umask 077; mkdir -p chat
%s
# And for rollcall.yaml:
forward:
  targets:
%s  routes:
    - {targets: [dingtalk]}
# What arrives is printed here, and shown at %s/chat/messages
`, files.String(), targets.String(), at)
}
