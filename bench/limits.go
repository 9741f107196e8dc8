package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// limits are what nobody who asks DingTalk can do without, in microseconds of
// CPU a meeting.
type limits struct {
	read   float64 // read the answer, and compare its bytes with those of the last
	split  float64 // find where each meeting of it begins and ends
	decode float64 // json.Unmarshal one meeting
}

// limits measures the limits in this process, which does nothing else meanwhile.
func (b *bench) limits(ctx context.Context) (l limits, err error) {
	b.say("the limits")
	w := world{Meetings: b.batch, People: b.people}
	s, err := b.open(session{world: w, rates: []float64{hold}, sync: "interval"})
	if err != nil {
		return l, err
	}
	defer s.close()
	answer, err := s.answer(ctx, nil)
	if err != nil {
		return l, err
	}
	buffer := make([]byte, 0, 2*len(answer))
	l.read, err = b.perMeeting(func() error {
		again, err := s.answer(ctx, buffer)
		if err == nil && !bytes.Equal(answer, again) {
			err = errors.New("an answer differs, and nothing has changed")
		}
		return err
	})
	if err != nil {
		return l, err
	}
	if l.split, err = b.perMeeting(func() error { return split(answer, b.batch) }); err != nil {
		return l, err
	}
	var meetings [][]byte
	for meeting := range w.Meetings {
		meetings = append(meetings, w.appendAnswer(nil, meeting, 0))
	}
	l.decode, err = b.perMeeting(func() error { return decode(meetings) })
	return l, err
}

// perMeeting measures the CPU time of something that is done to a whole batch.
func (b *bench) perMeeting(do func() error) (float64, error) {
	before, err := cpuOf(os.Getpid())
	if err != nil {
		return 0, fmt.Errorf("measure the limits: %w", err)
	}
	times := 0
	for began := time.Now(); time.Since(began) < b.long/4; times++ {
		if err := do(); err != nil {
			return 0, fmt.Errorf("measure the limits: %w", err)
		}
	}
	after, err := cpuOf(os.Getpid())
	return float64((after - before).Microseconds()) / float64(times*b.batch), err
}

// answer asks about all meetings with one question; the answer is in buffer if
// there is room.
func (s *scene) answer(ctx context.Context, buffer []byte) ([]byte, error) {
	var ids []string
	for meeting := range s.world.Meetings {
		ids = append(ids, id(meeting))
	}
	question, err := json.Marshal(map[string]any{"conferenceIdList": ids})
	if err != nil {
		return nil, fmt.Errorf("write the question: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.dingtalk+"/v1.0/conference/videoConferences/query", bytes.NewReader(question))
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	length := int(response.ContentLength)
	if cap(buffer) < length {
		buffer = make([]byte, length)
	}
	if _, err := io.ReadFull(response.Body, buffer[:length]); err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return buffer[:length], nil
}

// split walks over an answer as far as one must to know where each meeting
// ends: strings and braces.
func split(answer []byte, meetings int) error {
	found, depth := 0, 0
	for i := 0; i < len(answer); i++ {
		switch answer[i] {
		case '"':
			i += 1 + bytes.IndexByte(answer[i+1:], '"')
		case '{':
			depth++
		case '}':
			if depth--; depth == 1 {
				found++
			}
		}
	}
	if found != meetings {
		return fmt.Errorf("%d meetings are in an answer about %d", found, meetings)
	}
	return nil
}

// decode decodes meetings as anyone without a faster way does.
func decode(meetings [][]byte) error {
	for _, meeting := range meetings {
		var m struct {
			ConferenceID string `json:"conferenceId"`
			Title        string `json:"title"`
			StartTime    int64  `json:"startTime"`
			Status       int    `json:"status"`
			MediaStatus  int    `json:"mediaStatus"`
			UserList     []struct {
				UserID            string `json:"userId"`
				Nick              string `json:"nick"`
				AttendStatus      int    `json:"attendStatus"`
				CameraStatus      int    `json:"cameraStatus"`
				MicStatus         int    `json:"micStatus"`
				RejectDescription string `json:"rejectDescription"`
			} `json:"userList"`
		}
		if err := json.Unmarshal(meeting, &m); err != nil {
			return fmt.Errorf("decode a meeting: %w", err)
		}
	}
	return nil
}
