// Command plain is what people write instead of Rollcall: it asks about the
// meetings, decodes the answer, compares it with a map and publishes what
// differs. It keeps its state in memory, so that a crash loses and repeats
// events; it is here to be measured beside Rollcall.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type answer struct {
	Infos []meeting `json:"infos"`
}

type meeting struct {
	ConferenceID string `json:"conferenceId"`
	Title        string `json:"title"`
	StartTime    int64  `json:"startTime"`
	Status       int    `json:"status"`
	MediaStatus  int    `json:"mediaStatus"`
	UserList     []user `json:"userList"`
}

type user struct {
	UserID            string `json:"userId"`
	Nick              string `json:"nick"`
	AttendStatus      int    `json:"attendStatus"`
	CameraStatus      int    `json:"cameraStatus"`
	MicStatus         int    `json:"micStatus"`
	RejectDescription string `json:"rejectDescription"`
}

type event struct {
	Type         string    `json:"type"`
	ConferenceID string    `json:"conferenceId"`
	Title        string    `json:"title"`
	Status       int       `json:"status"`
	User         user      `json:"user"`
	Time         time.Time `json:"time"`
}

type script struct {
	dingtalk, token string
	js              jetstream.JetStream
	known           map[string]map[string]user

	bytesFirst bool              // what has not changed is not decoded
	raw        map[string][]byte // of each meeting
	bodies     map[string][]byte // by the first id that was asked about
}

func main() {
	dingtalk := flag.String("dingtalk", "", "address of the API")
	address := flag.String("nats", nats.DefaultURL, "address of the broker")
	prefix := flag.String("prefix", "", "of the ids")
	count := flag.Int("meetings", 1000, "how many")
	batch := flag.Int("batch", 100, "meetings a call")
	every := flag.Duration("every", 0, "from one poll to the next; 0: at once")
	bytesFirst := flag.Bool("bytes-first", false, "decode only what differs from the answer before")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	s, err := open(ctx, *dingtalk, *address)
	if err != nil {
		log.Fatal(err)
	}
	var ids []string
	for n := range *count {
		ids = append(ids, fmt.Sprintf("%s%08d", *prefix, n))
	}
	s.bytesFirst = *bytesFirst
	for next := time.Now(); ctx.Err() == nil; next = next.Add(*every) {
		select {
		case <-time.After(time.Until(next)):
		case <-ctx.Done():
		}
		for at := 0; at < len(ids) && ctx.Err() == nil; at += *batch {
			if err := s.poll(ctx, ids[at:min(at+*batch, len(ids))]); err != nil && ctx.Err() == nil {
				log.Print(err)
			}
		}
	}
	<-s.js.PublishAsyncComplete()
}

func open(ctx context.Context, dingtalk, address string) (*script, error) {
	conn, err := nats.Connect(address)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(4000))
	if err != nil {
		return nil, err
	}
	_, err = js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: "PLAIN", Subjects: []string{"plain.>"}})
	if err != nil {
		return nil, err
	}
	s := &script{dingtalk: dingtalk, js: js, known: map[string]map[string]user{}, raw: map[string][]byte{}, bodies: map[string][]byte{}}
	var token struct {
		AccessToken string `json:"accessToken"`
	}
	body, err := s.post(ctx, "/v1.0/oauth2/accessToken", map[string]string{"appKey": "bench", "appSecret": "bench"})
	if err != nil {
		return nil, err
	}
	err = json.NewDecoder(body).Decode(&token)
	s.token = token.AccessToken
	return s, errors.Join(err, body.Close())
}

func (s *script) post(ctx context.Context, path string, question any) (io.ReadCloser, error) {
	body, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.dingtalk+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("x-acs-dingtalk-access-token", s.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, errors.Join(fmt.Errorf("%s: %s", path, response.Status), response.Body.Close())
	}
	return response.Body, nil
}

func (s *script) poll(ctx context.Context, ids []string) error {
	body, err := s.post(ctx, "/v1.0/conference/videoConferences/query", map[string]any{"conferenceIdList": ids})
	if err != nil {
		return err
	}
	defer body.Close()
	if s.bytesFirst {
		return s.compareBytes(ids[0], body)
	}
	var a answer
	if err := json.NewDecoder(body).Decode(&a); err != nil {
		return err
	}
	for _, m := range a.Infos {
		if err := s.compare(m); err != nil {
			return err
		}
	}
	return nil
}

// compareBytes decodes the meetings that do not stand in the answer as before.
func (s *script) compareBytes(first string, body io.Reader) error {
	whole, err := io.ReadAll(body)
	if err != nil || bytes.Equal(whole, s.bodies[first]) {
		return err
	}
	s.bodies[first] = whole
	var a struct {
		Infos []json.RawMessage `json:"infos"`
	}
	if err := json.Unmarshal(whole, &a); err != nil {
		return err
	}
	for _, raw := range a.Infos {
		var m meeting
		id := string(raw[:min(len(raw), 60)]) // it begins with the id
		if bytes.Equal(raw, s.raw[id]) {
			continue
		}
		s.raw[id] = raw
		if err := json.Unmarshal(raw, &m); err != nil {
			return err
		}
		if err := s.compare(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *script) compare(m meeting) error {
	was, now := s.known[m.ConferenceID], make(map[string]user, len(m.UserList))
	for _, u := range m.UserList {
		now[u.UserID] = u
		old, known := was[u.UserID]
		for _, kind := range changes(old, u, known) {
			if err := s.publish(kind, m, u); err != nil {
				return err
			}
		}
	}
	s.known[m.ConferenceID] = now
	return nil
}

func changes(old, now user, known bool) (kinds []string) {
	if !known || old.AttendStatus != now.AttendStatus {
		kinds = append(kinds, fmt.Sprintf("attend_%d", now.AttendStatus))
	}
	if known && old.MicStatus != now.MicStatus {
		kinds = append(kinds, fmt.Sprintf("mic_%d", now.MicStatus))
	}
	if known && old.CameraStatus != now.CameraStatus {
		kinds = append(kinds, fmt.Sprintf("camera_%d", now.CameraStatus))
	}
	return kinds
}

func (s *script) publish(kind string, m meeting, u user) error {
	data, err := json.Marshal(event{kind, m.ConferenceID, m.Title, m.Status, u, time.Now()})
	if err != nil {
		return err
	}
	_, err = s.js.PublishAsync("plain."+m.ConferenceID+"."+kind, data)
	return err
}
