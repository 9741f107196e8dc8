package push

import (
	"encoding/json"
	"errors"
	"strconv"
)

// The types and topics of frames.
const (
	typeSystem = "SYSTEM"
	typeEvent  = "EVENT"

	topicPing       = "ping"
	topicDisconnect = "disconnect"
)

// loose is a text that may be sent as a number; of anything else it is empty.
type loose string

// UnmarshalJSON takes any JSON.
func (l *loose) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*l = loose(text)
	} else if _, err := strconv.ParseFloat(string(raw), 64); err == nil {
		*l = loose(raw)
	}
	return nil
}

// frame is one message of the connection.
type frame struct {
	Type    loose `json:"type"`
	Headers struct {
		Topic     loose `json:"topic"`
		MessageID loose `json:"messageId"`
		EventType loose `json:"eventType"`
		EventID   loose `json:"eventId"`
	} `json:"headers"`
	Data json.RawMessage `json:"data"` // a text that holds JSON
}

var errNoFrame = errors.New("it is no frame")

// readFrame reads a message. Without a type it is no frame.
func readFrame(message []byte) (f frame, err error) {
	if err := json.Unmarshal(message, &f); err != nil || f.Type == "" {
		return frame{}, errNoFrame
	}
	return f, nil
}

// content is the JSON that the data hold.
func (f *frame) content() []byte {
	var text string
	if json.Unmarshal(f.Data, &text) == nil {
		return []byte(text)
	}
	return f.Data
}

// reply is the answer to a frame.
type reply struct {
	Code    int               `json:"code"`
	Headers map[string]string `json:"headers"`
	Message string            `json:"message"`
	Data    string            `json:"data"`
}

// acknowledgement answers the frame: a ping with its own data, anything else with
// success. DingTalk has no use for what was made of it.
func (f *frame) acknowledgement() ([]byte, error) {
	r := reply{
		Code: 200, Message: "OK", Data: `{"status":"SUCCESS"}`,
		Headers: map[string]string{"contentType": "application/json", "messageId": string(f.Headers.MessageID)},
	}
	if f.Type == typeSystem && f.Headers.Topic == topicPing {
		r.Data = string(f.content())
	}
	return json.Marshal(r)
}
